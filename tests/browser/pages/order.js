import { createOrdersClient, errorText, formatMoney, placeOrder, waitForOrder } from "@orders/client";

// `manager` is the UserManager of oidc-client-ts.
export const clientOf = (config, manager) =>
  createOrdersClient({
    config,
    tokens: async (use, { refresh }) => {
      const user = refresh ? await manager.signinSilent() : await manager.getUser();
      return use === "id" ? user?.id_token : user?.access_token;
    },
    // An order that lost its response keeps its key over a reload of the page, so it is placed only once.
    keys: sessionStorage,
  });

export const buy = async (client, productId) => {
  try {
    const accepted = await placeOrder(client, [{ product_id: productId, quantity: 1 }]);
    const order = await waitForOrder(client, accepted);
    if (order.status === "CONFIRMED") return `Thank you. Your total is ${formatMoney(order.total, order.currency, "en")}.`;
    return "reason" in order ? errorText(order.reason) : "Your order is cancelled.";
  } catch (error) {
    return errorText(error);
  }
};
