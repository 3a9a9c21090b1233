// Speaks what the page says, when asked to and where the device itself has a voice for the language.

export class Voice {
  #voice = null;

  constructor(button, language) {
    this.button = button;
    this.language = language;
    if (!button || !("speechSynthesis" in globalThis)) return;
    this.#choose();
    speechSynthesis.addEventListener?.("voiceschanged", () => this.#choose());
    button.addEventListener("click", () => {
      const on = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(on));
      if (!on) speechSynthesis.cancel();
    });
  }

  // A voice that is not local would send the words to somebody else's server.
  #choose() {
    const voices = speechSynthesis.getVoices().filter((voice) => voice.localService);
    this.#voice = voices.find((voice) => voice.lang.startsWith(this.language)) ?? null;
    this.button.hidden = this.#voice === null;
  }

  say(text) {
    if (!text || !this.#voice || this.button.getAttribute("aria-pressed") !== "true") return;
    speechSynthesis.cancel();
    const speech = new SpeechSynthesisUtterance(text);
    speech.voice = this.#voice;
    speech.lang = this.#voice.lang;
    speechSynthesis.speak(speech);
  }
}
