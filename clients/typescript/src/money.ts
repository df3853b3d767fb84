import { type Currency, DIGITS } from "./generated/currencies.js";

/** A currency that a product can have. */
export type { Currency };

/** Every currency that a product can have. */
export const CURRENCIES = Object.keys(DIGITS) as Currency[];

const DIGITS_OF_OTHERS = 2;

/**
 * Returns how many digits the minor unit of a currency has by ISO 4217: 2 for USD, 0 for JPY, 3 for KWD.
 * `Intl` uses other digits for 16 of the currencies, for example 0 for HUF, so its prices would be 100 times too high.
 */
export function currencyDigits(currency: string): number {
  return Object.hasOwn(DIGITS, currency) ? DIGITS[currency as Currency] : DIGITS_OF_OTHERS;
}

/** Returns an amount in minor units as text: `formatMoney(123456, "EUR", "de")` is `1.234,56 €`. */
export function formatMoney(minor: number, currency: string, locale?: string): string {
  return formatter(currency, locale).format(minor / 10 ** currencyDigits(currency));
}

/**
 * Returns the minor units of a text that a person typed: `parseMoney("1,234.5", "USD", "en")` is 123450.
 * Returns undefined if the text is no amount, is negative, or has more decimals than the currency.
 */
export function parseMoney(text: string, currency: string, locale?: string): number | undefined {
  const { decimal, group, symbol, digits } = notation(currency, locale);
  let plain = text.normalize("NFKC");
  for (const unit of [currency, symbol]) plain = plain.replace(unit.normalize("NFKC"), "");
  // Separators of thousands may be spaces. Some locales surround the currency with invisible marks.
  plain = plain.replace(/[\s\u200e\u200f\u061c]/gu, "");
  plain = [...plain].map((each) => digits.get(each) ?? each).join("");
  const [whole = "", fraction = "", ...more] = plain.split(decimal);
  const units = ungrouped(whole, group);
  const wanted = currencyDigits(currency);
  if (more.length > 0 || units === undefined || !/^\d*$/.test(fraction) || fraction.length > wanted) return undefined;
  const minor = Number(units + fraction.padEnd(wanted, "0"));
  return Number.isSafeInteger(minor) ? minor : undefined;
}

/** Returns the digits of a whole number, or undefined if its separators are not where thousands end. */
function ungrouped(whole: string, group: string): string | undefined {
  if (/^\d+$/.test(whole)) return whole;
  // In India, all groups but the last have two digits.
  const parts = group === "" ? [] : whole.split(group);
  const first = parts[0] ?? "";
  const isGrouped = parts.length > 1 && /^\d{1,3}$/.test(first) && /^\d{3}$/.test(parts.at(-1) ?? "");
  return isGrouped && parts.slice(1).every((part) => /^\d{2,3}$/.test(part)) ? parts.join("") : undefined;
}

function formatter(currency: string, locale: string | undefined): Intl.NumberFormat {
  const digits = currencyDigits(currency);
  return new Intl.NumberFormat(locale, {
    style: "currency",
    currency,
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

interface Notation {
  decimal: string;
  group: string;
  symbol: string;
  /** The digits of the locale, for example Arabic ones, by their characters. */
  digits: ReadonlyMap<string, string>;
}

function notation(currency: string, locale: string | undefined): Notation {
  const parts = new Intl.NumberFormat(locale, { style: "currency", currency, minimumFractionDigits: 1 }).formatToParts(
    1234567.5,
  );
  const part = (type: Intl.NumberFormatPartTypes): string => parts.find((each) => each.type === type)?.value ?? "";
  const plain = new Intl.NumberFormat(locale, { useGrouping: false });
  return {
    decimal: part("decimal"),
    group: part("group").replace(/\s/gu, ""),
    symbol: part("currency"),
    digits: new Map(Array.from({ length: 10 }, (_, digit) => [plain.format(digit), String(digit)])),
  };
}
