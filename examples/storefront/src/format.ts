import { formatMoney } from "@orders/client";

const LOCALE = document.documentElement.lang;
const DAY = new Intl.DateTimeFormat(LOCALE, { dateStyle: "medium" });
const MOMENT = new Intl.DateTimeFormat(LOCALE, { dateStyle: "medium", timeStyle: "short" });

/** Returns an amount in minor units as text. */
export function money(amount: number, currency: string): string {
  return formatMoney(amount, currency, LOCALE);
}

/** Returns the day of a UTC timestamp, in the customer's time zone. */
export function day(timestamp: string): string {
  return DAY.format(new Date(timestamp));
}

/** Returns the day and time of a UTC timestamp, in the customer's time zone. */
export function moment(timestamp: string): string {
  return MOMENT.format(new Date(timestamp));
}

/** Returns a number with its noun: `count(2, "item")` is "2 items". */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/** Returns the short form of an order's id that people read to each other. */
export function orderNumber(orderId: string): string {
  return orderId.slice(0, 8).toUpperCase();
}
