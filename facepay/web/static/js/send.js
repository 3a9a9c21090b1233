// One small request to this terminal; answers what it said, or throws a Refusal in plain words.

export class Refusal extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

export async function send(address, values = {}, { timeoutMs = 8_000 } = {}) {
  const answer = await fetch(address, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify(values),
    signal: AbortSignal.timeout(timeoutMs),
  });
  const document = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refusal(answer.status, document.detail ?? "");
  return document;
}
