import assert from "node:assert/strict";
import { test } from "node:test";
import { CURRENCIES, currencyDigits, formatMoney, parseMoney } from "@orders/client";
import iso from "currency-codes";

const LOCALES = ["en", "en-IN", "de", "de-CH", "fr", "ja", "ar-EG", "hi", "sv", "pt-BR"];
/** ISO 4217 digits of codes that the package currency-codes lacks: Amendment 176 of SIX, and List One of SIX. */
const MISSING: Readonly<Record<string, number>> = { XAD: 2, XCG: 2 };

function expected(currency: string): number {
  const digits = iso.code(currency)?.digits ?? MISSING[currency];
  assert.notEqual(digits, undefined, `${currency} is unknown`);
  return digits ?? Number.NaN;
}

function intlDigits(currency: string): number | undefined {
  return new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions().maximumFractionDigits;
}

test("every allowed currency has the digits of ISO 4217", () => {
  assert.equal(CURRENCIES.length, 165);
  for (const currency of CURRENCIES) assert.equal(currencyDigits(currency), expected(currency), currency);
});

test("formatMoney shows the digits of ISO 4217, although Intl has others", () => {
  const different = CURRENCIES.filter((currency) => intlDigits(currency) !== currencyDigits(currency));
  assert.ok(different.includes("HUF") && different.includes("IQD") && different.length >= 16, different.join());
  for (const currency of CURRENCIES) {
    const text = formatMoney(1_234_567, currency, "en");
    const digits = /\d[\d,.]*/.exec(text)?.[0] ?? "";
    assert.equal(digits.replace(/[,.]/g, ""), "1234567", text);
    assert.equal(digits.split(".")[1]?.length ?? 0, expected(currency), text);
  }
  assert.equal(formatMoney(499_000, "HUF", "en").replace(/\s/g, " "), "HUF 4,990.00");
  assert.equal(formatMoney(123_456, "EUR", "de").replace(/\s/g, " "), "1.234,56 €");
  assert.equal(formatMoney(1200, "JPY", "en"), "¥1,200");
});

test("parseMoney reads what formatMoney writes in every locale", () => {
  for (const locale of LOCALES) {
    // Creating a number format is slow, so only one locale reads every currency.
    for (const currency of locale === "de" ? CURRENCIES : ["CLF", "EUR", "HUF", "JPY", "KWD"]) {
      // The largest total of an order has 14 digits.
      for (const minor of [0, 7, 120_000, 25_000_000_000_000]) {
        const text = formatMoney(minor, currency, locale);
        assert.equal(parseMoney(text, currency, locale), minor, `${text} in ${locale}`);
      }
    }
  }
});

test("parseMoney refuses texts that could mean another amount", () => {
  assert.equal(parseMoney("1,234.5", "USD", "en"), 123_450);
  assert.equal(parseMoney("12", "KWD", "en"), 12_000);
  assert.equal(parseMoney(" 1200 ", "JPY", "ja"), 1200);
  assert.equal(parseMoney("12,34,567.00", "INR", "en-IN"), 123_456_700);
  for (const text of ["1,5", "1.234", "12.345", "", ".", "abc", "-5", "1.2.3", "1,23", "1e3", "0x10", "12,34,56"]) {
    assert.equal(parseMoney(text, "USD", "en"), undefined, text);
  }
  assert.equal(parseMoney("1.5", "JPY", "en"), undefined);
});
