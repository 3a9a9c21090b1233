// State by server-sent events: reconnects by itself, notices silence, and polls where no stream is free.

const SILENCE_MS = 13_000;
const POLL_MS = 1_000;

export class Events {
  #source = null;
  #lastHeard = 0;
  #pollTimer = 0;

  constructor({ events, state, onView, onLink }) {
    this.addresses = { events, state };
    this.onView = onView;
    this.onLink = onLink ?? (() => {});
    setInterval(() => this.#watch(), 2_000);
    addEventListener("online", () => this.#open());
    addEventListener("pagehide", () => this.#source?.close());
    addEventListener("pageshow", (event) => event.persisted && this.#open());
    this.#open();
  }

  #open() {
    this.#source?.close();
    this.#lastHeard = performance.now();
    const source = new EventSource(this.addresses.events);
    this.#source = source;
    source.addEventListener("view", (event) => this.#heard(JSON.parse(event.data)));
    source.addEventListener("heartbeat", () => this.#heard(null));
    source.addEventListener("error", () => {
      // A stream that the server ended by age reconnects by itself; a refused one never does.
      if (source.readyState === EventSource.CLOSED) this.#poll();
    });
  }

  #heard(view) {
    this.#lastHeard = performance.now();
    clearTimeout(this.#pollTimer);
    this.onLink(true);
    if (view) this.onView(view);
  }

  #watch() {
    const silence = performance.now() - this.#lastHeard;
    if (silence > SILENCE_MS) {
      this.onLink(false);
      this.#open();
    }
  }

  async #poll() {
    clearTimeout(this.#pollTimer);
    try {
      const answer = await fetch(this.addresses.state, { headers: { Accept: "application/json" }, cache: "no-store" });
      if (!answer.ok) throw new Error(`state ${answer.status}`);
      this.onLink(true);
      this.onView(await answer.json());
      this.#lastHeard = performance.now();
    } catch {
      this.onLink(false);
    }
    this.#pollTimer = setTimeout(() => (Math.random() < 0.2 ? this.#open() : this.#poll()), POLL_MS);
  }
}
