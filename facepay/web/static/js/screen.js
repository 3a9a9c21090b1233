// Puts a view into the page: words, hint, oval, live regions. Text only, never markup.

const HINT_MS = 600;

export class Screen {
  #hintShownAt = 0;
  #hintTimer = 0;

  constructor(root = document.body) {
    this.root = root;
  }

  find(name) {
    return this.root.querySelector(`[data-${name}]`);
  }

  text(name, value) {
    for (const node of this.root.querySelectorAll(`[data-text="${name}"]`)) {
      if (node.textContent !== value) node.textContent = value;
    }
  }

  show(name, visible) {
    const node = this.find(name);
    if (node) node.hidden = !visible;
  }

  /** One hint at a time, each for at least 600 ms, so that nobody has to chase words. */
  hint(text, icon) {
    clearTimeout(this.#hintTimer);
    const wait = this.#hintShownAt + HINT_MS - performance.now();
    const node = this.find("hint");
    if (!node) return;
    if (text && !node.hidden && wait > 0 && node.dataset.shown !== text) {
      this.#hintTimer = setTimeout(() => this.hint(text, icon), wait);
      return;
    }
    node.hidden = !text;
    if (!text || node.dataset.shown === text) return;
    this.#hintShownAt = performance.now();
    node.dataset.shown = text;
    this.text("hint", text);
    this.find("hint-icon")?.setAttribute("href", `#${icon || "hint-none"}`);
    this.say(text);
  }

  mood(mood) {
    for (const face of this.root.querySelectorAll("main [data-face]")) {
      face.setAttribute("class", `face mood-${mood}`);
    }
  }

  progress(percent) {
    const ring = this.find("progress");
    if (!ring) return;
    ring.style.strokeDashoffset = String(100 - percent);
    ring.dataset.share = String(percent);
  }

  say(text, { now = false } = {}) {
    const region = this.find(now ? "live-now" : "live") ?? this.find("live-now");
    if (region && text) region.textContent = text;
    this.onSay?.(text);
  }

  notice(text) {
    const node = this.find("notice");
    if (!node) return;
    node.textContent = text;
    node.hidden = !text;
  }

  focusTitle() {
    this.find("title")?.focus({ preventScroll: true });
  }
}
