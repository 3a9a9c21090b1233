// Drives the Terminal API client of npm @adyen/api-library and prints one line of JSON per step.
// Arguments: folder of node_modules, mode (encrypted, plain, sync), address, PEM of the authority, passphrase.
"use strict";
const path = require("path");
const [modules, mode, address, authority, passphrase] = process.argv.slice(2);
const library = require(path.join(modules, "@adyen", "api-library"));
const { Client, TerminalLocalAPI, TerminalCloudAPI } = library;
const Unencrypted = require(
  path.join(modules, "@adyen", "api-library", "lib", "src", "services", "terminalLocalAPIUnencrypted"),
).default;

const config = {
  apiKey: "key",
  environment: "TEST",
  certificatePath: authority,
  terminalApiLocalEndpoint: address,
};
const client = new Client(config);
client.config.terminalApiCloudEndpoint = `${address}:8443`;
client.config.terminalApiLocalEndpoint = address;
const key = { Passphrase: passphrase, KeyIdentifier: "till-key", KeyVersion: 1, AdyenCryptoVersion: 1 };

const encrypted = new TerminalLocalAPI(client);
const cloud = new TerminalCloudAPI(client);
const plain = mode === "plain" ? new Unencrypted(client) : null;

let number = 0;
const run = Date.now().toString(36).slice(-5);
const nextId = () => `${run}${++number}`;

function header(category, serviceId) {
  return {
    ProtocolVersion: "3.0",
    MessageClass: "Service",
    MessageCategory: category,
    MessageType: "Request",
    SaleID: `POS-${mode}`,
    ServiceID: serviceId || nextId(),
    POIID: "FACE01-000000001",
  };
}

async function ask(category, body, serviceId) {
  const request = { SaleToPOIRequest: { MessageHeader: header(category, serviceId), [`${category}Request`]: body } };
  if (mode === "encrypted") return encrypted.request(request, key);
  if (mode === "plain") return plain.request(request);
  return cloud.sync(request);
}

function payment(amount) {
  return {
    SaleData: { SaleTransactionID: { TransactionID: `T${number}`, TimeStamp: new Date().toISOString() } },
    PaymentTransaction: { AmountsReq: { Currency: "EUR", RequestedAmount: amount } },
  };
}

const now = () => new Date().toISOString();
const reference = (serviceId) => ({ MessageCategory: "Payment", SaleID: `POS-${mode}`, ServiceID: serviceId });

async function step(name, action) {
  let answer;
  try {
    answer = await action();
  } catch (error) {
    answer = { failed: error.message || JSON.stringify(error), statusCode: error.statusCode };
  }
  console.log(JSON.stringify({ name, answer: answer === undefined ? null : answer }));
  return answer;
}

// An abort that comes before its payment stops nothing, and a busy machine is late.
async function untilRunning(serviceId) {
  const question = { ReceiptReprintFlag: false, MessageReference: reference(serviceId) };
  for (let tries = 0; tries < 600; tries++) {
    let told;
    try {
      told = await ask("TransactionStatus", question);
    } catch {
      return; // This till is not let in at all.
    }
    if (told.SaleToPOIResponse.TransactionStatusResponse.Response.ErrorCondition === "InProgress") return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function main() {
  await step("login", () =>
    ask("Login", {
      DateTime: now(),
      OperatorLanguage: "en",
      SaleSoftware: { ManufacturerID: "m", ApplicationName: "a", SoftwareVersion: "1", CertificationCode: "c" },
    }),
  );
  await step("diagnosis", () => ask("Diagnosis", { HostDiagnosisFlag: true }));
  const paid = nextId();
  const approved = await step("approved", () => ask("Payment", payment(10.99), paid));
  await step("status", () => ask("TransactionStatus", { ReceiptReprintFlag: true, MessageReference: reference(paid) }));
  await step("unknown status", () =>
    ask("TransactionStatus", { ReceiptReprintFlag: false, MessageReference: reference("never") }),
  );
  await step("declined", () => ask("Payment", payment(10.01)));
  const original = approved.SaleToPOIResponse && approved.SaleToPOIResponse.PaymentResponse.POIData.POITransactionID;
  await step("reversal", () =>
    ask("Reversal", {
      OriginalPOITransaction: { POITransactionID: original },
      ReversalReason: "MerchantCancel",
    }),
  );
  const aborted = nextId();
  const running = step("aborted", () => ask("Payment", payment(10.1), aborted));
  await untilRunning(aborted);
  await step("abort", () => ask("Abort", { AbortReason: "test", MessageReference: reference(aborted) }));
  await running;
  await step("logout", () => ask("Logout", {}));
}

main();
