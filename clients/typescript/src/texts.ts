import { type AnyErrorCode, ApiError, type ClientErrorCode, type ErrorCode } from "./errors.js";

type Texts = Record<ErrorCode | ClientErrorCode, string>;

const ENGLISH: Texts = {
  ValidationError: "Some of the details are not valid. Please check them and try again.",
  Unauthorized: "Your session has ended. Please sign in again.",
  Forbidden: "You are not allowed to do this.",
  NotFound: "This page does not exist.",
  UserNotFound: "This profile does not exist.",
  OrderNotFound: "We can't find this order.",
  ProductNotFound: "A product is no longer available. Please remove it from your basket.",
  UserAlreadyExists: "You already have a profile.",
  IdempotencyConflict: "You already placed another order from this basket. Please check your orders.",
  InvalidTransition: "This order can no longer be changed.",
  OutOfStock: "We don't have enough of a product in stock. Please reduce its quantity or remove it.",
  PayloadTooLarge: "This is too much data to send. Please send less.",
  UnsupportedMediaType: "This kind of data is not supported.",
  TooManyRequests: "We are very busy right now. Please try again in a moment.",
  InternalError: "Something went wrong on our side. Please try again.",
  PriceChanged: "A price has changed. Please check the new total and order again.",
  ServiceUnavailable: "We are very busy right now. Please try again in a moment.",
  Timeout: "This takes longer than usual. If you have ordered, please check your orders before you try again.",
  NetworkError: "We can't reach the shop. Please check your connection and try again.",
  StillPending: "Your order takes longer than usual. We will decide it soon: please check your orders.",
};

const JAPANESE: Texts = {
  ValidationError: "入力内容に誤りがあります。ご確認のうえ、もう一度お試しください。",
  Unauthorized: "セッションの有効期限が切れました。もう一度サインインしてください。",
  Forbidden: "この操作を行う権限がありません。",
  NotFound: "ページが見つかりません。",
  UserNotFound: "プロフィールが見つかりません。",
  OrderNotFound: "ご注文が見つかりません。",
  ProductNotFound: "取り扱いを終了した商品があります。カートから削除してください。",
  UserAlreadyExists: "プロフィールはすでに登録されています。",
  IdempotencyConflict: "このカートからは別の注文がすでに行われています。注文履歴をご確認ください。",
  InvalidTransition: "この注文はもう変更できません。",
  OutOfStock: "在庫が足りない商品があります。数量を減らすか、カートから削除してください。",
  PayloadTooLarge: "送信するデータが大きすぎます。",
  UnsupportedMediaType: "この形式のデータには対応していません。",
  TooManyRequests: "ただいま混み合っています。しばらくしてからもう一度お試しください。",
  InternalError: "システムエラーが発生しました。もう一度お試しください。",
  PriceChanged: "価格が変更されました。新しい合計金額をご確認のうえ、もう一度ご注文ください。",
  ServiceUnavailable: "ただいま混み合っています。しばらくしてからもう一度お試しください。",
  Timeout: "処理に時間がかかっています。ご注文された場合は、注文履歴を確認してから、もう一度お試しください。",
  NetworkError: "接続できません。ネットワークを確認して、もう一度お試しください。",
  StillPending: "ご注文の処理に時間がかかっています。しばらくしてから注文履歴をご確認ください。",
};

/** The texts by the language of a locale. Every other language gets the English texts. */
const TEXTS: Readonly<Record<string, Texts>> = { en: ENGLISH, ja: JAPANESE };

/**
 * Returns a text for customers about an ApiError, about the `reason` of a rejected order, or about any other error.
 * The text depends on the error's code only: the error's own message is for developers.
 */
export function errorText(error: unknown, locale = "en"): string {
  const texts: Partial<Record<AnyErrorCode, string>> = TEXTS[locale.slice(0, 2).toLowerCase()] ?? ENGLISH;
  const code = codeOf(error);
  const known = code !== undefined && Object.hasOwn(texts, code) ? texts[code] : undefined;
  return known ?? texts["InternalError"] ?? ENGLISH.InternalError;
}

function codeOf(error: unknown): string | undefined {
  if (error instanceof ApiError) return error.code;
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
