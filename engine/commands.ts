import { carryOutAck, carryOutShelve } from "./alert_commands.ts";
import type { CommandHandler } from "./command.ts";
import { carryOutDrop, carryOutRetry } from "./quarantine_commands.ts";
import { carryOutRules } from "./rule_commands.ts";
import { carryOutSchema } from "./schema_commands.ts";
import { carryOutAcceptGap, carryOutRetryPartition } from "./source_commands.ts";

/** Who carries out the commands of a verb. A verb that an audit holds stays here for ever: a replay of it must do what it did. */
export const COMMANDS: Readonly<Record<string, CommandHandler>> = {
  ack: carryOutAck,
  shelve: carryOutShelve,
  "accept-gap": carryOutAcceptGap,
  "files retry": carryOutRetryPartition,
  "quarantine retry": carryOutRetry,
  "quarantine drop": carryOutDrop,
  "schema approve": carryOutSchema,
  "schema ignore": carryOutSchema,
  rules: carryOutRules,
};
