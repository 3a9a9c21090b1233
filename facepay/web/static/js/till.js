// The till: a basket and a keypad, one sale at a time, and the card in one key whatever happens.

import { Events } from "./events.js";
import { Screen } from "./screen.js";
import { send } from "./send.js";

const { dataset } = document.body;
const screen = new Screen();
const decimals = Number(dataset.decimals);
const MOST_MINOR = 99_999_999;
let lines = [];
let entry = 0;
let view = JSON.parse(dataset.view);
let tookCard = "";

const phrase = (name) => document.querySelector(`[data-phrase="${name}"]`).content.textContent;
const total = () => lines.reduce((sum, line) => sum + line.minor, 0);
const money = (minor) => `${(minor / 10 ** decimals).toFixed(decimals).replace(".", dataset.decimalMark)} ${dataset.currency}`;

function drawBasket() {
  const template = document.querySelector("[data-line]");
  screen.find("lines").replaceChildren(
    ...lines.map((line, index) => {
      const row = template.content.cloneNode(true);
      row.querySelector("[data-name]").textContent = line.name;
      row.querySelector("[data-price]").textContent = money(line.minor);
      const remove = row.querySelector("[data-remove]");
      remove.setAttribute("aria-label", `${remove.getAttribute("aria-label")}: ${line.name}`);
      remove.addEventListener("click", () => {
        lines.splice(index, 1);
        drawBasket();
      });
      return row;
    }),
  );
  screen.show("empty", lines.length === 0);
  screen.find("total").textContent = money(total());
  drawEntry();
}

function drawEntry() {
  screen.find("entry").textContent = money(entry);
  screen.find("start-button").disabled = !view.ended || total() + entry === 0;
  screen.find("cancel-button").disabled = view.ended;
}

function add(name, minor) {
  if (minor <= 0 || total() + minor > MOST_MINOR) return;
  lines.push({ name, minor });
  drawBasket();
}

function press(key) {
  if (key === "back") entry = Math.floor(entry / 10);
  else if (entry * 10 ** key.length + Number(key) <= MOST_MINOR) entry = entry * 10 ** key.length + Number(key);
  drawEntry();
}

function addEntry() {
  const minor = entry;
  entry = 0;
  add(phrase("own-amount"), minor);
  drawEntry();
}

function announce(title, text, mood) {
  screen.text("title", title);
  screen.text("text", text);
  screen.mood(mood);
  screen.find("status").dataset.mood = mood;
  screen.say(`${title}. ${text}`, { now: true });
}

// What was shown is shown again under a card press only if the terminal says something newer and final.
function draw(next) {
  const moved = next.phase !== view.phase || next.sale !== view.sale;
  view = next;
  dataset.phase = view.phase;
  if (tookCard === view.sale && tookCard && view.phase !== "approved") {
    drawEntry();
    return;
  }
  if (moved || screen.find("title").textContent !== view.title) announce(view.title, view.text, view.mood);
  if (moved && view.phase === "approved") learned();
  drawEntry();
}

// Only a till that has shown the approval may say so; the terminal then takes the money.
async function learned() {
  lines = [];
  drawBasket();
  requestAnimationFrame(() => requestAnimationFrame(() => send("/till/learned", { sale: view.sale }).catch(() => {})));
}

async function start() {
  if (entry > 0) addEntry();
  if (total() === 0 || !view.ended) return;
  tookCard = "";
  screen.notice("");
  screen.find("start-button").disabled = true;
  try {
    await send("/till/start", { amount_minor: total() });
  } catch (refusal) {
    screen.notice(refusal.message && refusal.status ? refusal.message : phrase("unreachable"));
    drawEntry();
  }
}

// The cashier is told at once, without waiting for a terminal that may be dead.
function card() {
  tookCard = view.sale || "card";
  announce(phrase("card-now"), phrase("card-now-text"), "calm");
  send("/till/card").catch(() => screen.notice(""));
}

async function cancel() {
  try {
    await send("/till/cancel");
  } catch (refusal) {
    screen.notice(refusal.message);
  }
}

for (const good of document.querySelectorAll("[data-good]")) {
  good.addEventListener("click", () => add(good.dataset.name, Number(good.dataset.price)));
}
for (const key of document.querySelectorAll("[data-key]")) key.addEventListener("click", () => press(key.dataset.key));
screen.find("add").addEventListener("click", addEntry);
for (const [name, act] of [["start", start], ["card", card], ["cancel", cancel]]) {
  document.querySelector(`form[data-${name}]`).addEventListener("submit", (event) => {
    event.preventDefault();
    act();
  });
}
addEventListener("keydown", (event) => {
  const act = { F2: card, Escape: cancel }[event.key];
  if (act) act();
  else if (/^[0-9]$/.test(event.key)) press(event.key);
  else if (event.key === "Backspace") press("back");
  else if (event.key === "+") addEntry();
  else return;
  event.preventDefault();
});

drawBasket();
screen.find("status").dataset.mood = view.mood;
new Events({
  events: dataset.events,
  state: dataset.state,
  onView: draw,
  onLink: (on) => { screen.find("link").dataset.on = String(on); },
});
