// The shopper's code: typed on a keyboard or on keys whose order may be mixed, so that a finger's path or
// a smudge tells an onlooker nothing.

function mixed(items) {
  const pool = [...items];
  const numbers = crypto.getRandomValues(new Uint32Array(pool.length));
  for (let i = pool.length - 1; i > 0; i -= 1) {
    const j = numbers[i] % (i + 1);
    [pool[i], pool[j]] = [pool[j], pool[i]];
  }
  return pool;
}

export class CodeKeys {
  constructor(form, onSend) {
    this.form = form;
    this.field = form.querySelector("[data-code-field]");
    this.keys = form.querySelector("[data-keys]");
    this.send = form.querySelector("[data-code-send]");
    this.shuffle = form.querySelector("[data-shuffle]");
    this.shuffle?.addEventListener("change", () => this.draw());
    this.field.addEventListener("input", () => {
      this.field.value = this.field.value.replace(/[^0-9]/g, "");
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      onSend(this.field.value);
      this.clear();
    });
  }

  /** Ready for one code: empty field, fresh keys. */
  ask() {
    this.clear();
    this.draw();
    this.field.focus({ preventScroll: true });
  }

  clear() {
    this.field.value = "";
  }

  draw() {
    const digits = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "0"];
    const order = this.shuffle?.checked ? mixed(digits) : digits;
    const keys = order.map((digit) => this.#key(digit, () => this.#type(digit)));
    keys.splice(9, 0, this.#key("\u232b", () => this.#erase(), this.keys.dataset.erase));
    keys.push(this.send);
    this.keys.replaceChildren(...keys);
  }

  #key(label, press, name) {
    const key = document.createElement("button");
    key.type = "button";
    key.className = "key";
    key.textContent = label;
    if (name) key.setAttribute("aria-label", name);
    key.addEventListener("click", press);
    return key;
  }

  #type(digit) {
    if (this.field.value.length < this.field.maxLength) this.field.value += digit;
  }

  #erase() {
    this.field.value = this.field.value.slice(0, -1);
  }
}
