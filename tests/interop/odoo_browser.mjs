// Odoo's payment-terminal code as it is, in Node, with just enough of the point of sale around it.
// Arguments: the add-on's file, the terminal's address, then amount and payment id of each payment.
import { register } from "node:module";
import { pathToFileURL } from "node:url";

const [file, address, ...payments] = process.argv.slice(2);
const stubs = `
export class AlertDialog {}
export class PaymentInterface {
    constructor(pos, method) { this.pos = pos; this.payment_method_id = method; this.env = pos.env; }
    async send_payment_request() {}
    send_payment_cancel() {}
}
export const _t = (text) => text;
export const register_payment_method = () => {};
`;
const hooks = `
export async function resolve(name, context, next) {
    if (name.startsWith("@")) {
        return { url: "data:text/javascript," + encodeURIComponent(${JSON.stringify(stubs)}), shortCircuit: true };
    }
    return next(name, context);
}
export async function load(url, context, next) {
    return next(url, url.endsWith(".esm.js") ? { ...context, format: "module" } : context);
}`;
register("data:text/javascript," + encodeURIComponent(hooks));
const { OCAPaymentTerminal } = await import(pathToFileURL(file).href);

async function message(name, params) {
    const answer = await fetch(`${address}/hw_proxy/${name}`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ id: 1, jsonrpc: "2.0", method: "call", params }),
    });
    const body = await answer.json();
    if (body.error) throw new Error(body.error.message);
    return body.result;
}

for (let i = 0; i < payments.length; i += 2) {
    const line = { amount: Number(payments[i]), set_payment_status(status) { this.status = status; } };
    const alerts = [];
    const order = { name: "Shop/0001", get_selected_paymentline: () => line };
    const pos = {
        get_order: () => order,
        getPendingPaymentLine: () => line,
        currency: { name: "EUR", decimals: 2 },
        hardwareProxy: { message },
        env: { services: { dialog: { add: (kind, { body }) => alerts.push(body) } } },
    };
    const terminal = new OCAPaymentTerminal(pos, { oca_payment_terminal_mode: "card" });
    const paid = await terminal.send_payment_request(payments[i + 1]);
    console.log(JSON.stringify({
        paid, transaction: line.transaction_id ?? null, status: line.terminal_transaction_status ?? null, alerts,
    }));
}
