import assert from "node:assert/strict";
import type { ServiceOffer } from "../protocol/v2/wire/messages.ts";
import { GrantQuestion } from "./grant_question.ts";

Deno.test("a question is over when each service has its answer, in whatever LISTEN they come", async () => {
  const question = new GrantQuestion();
  let asked: ServiceOffer[] = [];
  const offers = [1, 2].map((number) => ({ number, offered: true, name: `a${number}` }));
  question.learn([{ number: 1, code: "closed", text: "" }]); // nobody has asked
  const answered = question.ask(offers, (offers) => asked = offers);
  assert.deepEqual(asked, offers.map((offer) => ({ ...offer, offered: false, asked: true })));
  let isOver = false;
  answered.then(() => isOver = true);
  question.learn([{ number: 2, code: "not-granted", text: "" }, { number: 7, code: "granted", text: "" }]);
  question.learn([{ number: 2, code: "granted", text: "" }]); // has been answered
  await undefined;
  assert.equal(isOver, false);
  question.learn([{ number: 1, code: "granted", text: "" }]);
  assert.deepEqual(await answered, ["not-granted", "granted"]);
});
