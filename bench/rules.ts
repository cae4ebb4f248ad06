import { measureMeterRules, ruleCostText } from "./meter_rules.ts";

// `npm run bench` prints this beside the end to end rates; alone: `node dist/bench/rules.js`.
const { text, holds } = ruleCostText(measureMeterRules());
console.log(`${text}\n${holds ? "both bounds hold" : "a bound does not hold"}\n`);
