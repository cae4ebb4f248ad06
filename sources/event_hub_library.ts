import { EventHubConsumerClient, type EventHubConsumerClientOptions } from "@azure/event-hubs";
import { type Connection, ConnectionEvents, Receiver } from "rhea-promise";
import { invariant } from "../engine/fault.ts";
import type { Credential } from "./azure_credential.ts";
import type { HubAccess } from "./event_hub_address.ts";

/** Where to read. */
export interface HubAddress {
  readonly access: HubAccess;
  readonly hub: string;
  readonly consumerGroup: string;
}

const { addCredit } = Receiver.prototype;

/**
 * A client of @azure/event-hubs 6.0.4, with two of its habits mended.
 * - It opens a link for 3,000 more events at each receive, whatever the link is still open for: a partition that trickles or rests for an hour is
 *   then sent millions at once, however far behind we are (Azure/azure-sdk-for-js#39452). Here a link is open for no more than was asked for last.
 * - It opens a cut connection again by itself, but leaves links behind, and timers that keep the process alive. Here `onCut` hears of the cut, and
 *   is to close the client.
 *
 * `credential`: for a namespace without a key. Throws if the connection string is malformed or for another hub, in words of its own: those of the library quote it.
 */
export function hubClient(
  { access, hub, consumerGroup }: HubAddress,
  credential: Credential | null,
  options: EventHubConsumerClientOptions,
  onCut: () => void,
): EventHubConsumerClient {
  Receiver.prototype.addCredit = addMissingCredit;
  const client =
    credential === null || "connectionString" in access
      ? understood(() => new EventHubConsumerClient(consumerGroup, keyOf(access), hub, options), hub)
      : new EventHubConsumerClient(consumerGroup, access.namespace, hub, credential, {
          ...options,
          ...(access.endpoint === undefined ? {} : { customEndpointAddress: access.endpoint }),
        });
  connectionOf(client).once(ConnectionEvents.disconnected, onCut);
  return client;
}

function keyOf(access: HubAccess): string {
  invariant("connectionString" in access, "a namespace is reached with a credential");
  return access.connectionString;
}

function addMissingCredit(this: Receiver, credit: number): void {
  if (credit > this.credit) addCredit.call(this, credit - this.credit);
}

/** The library shows its connection nowhere. */
function connectionOf(client: EventHubConsumerClient): Connection {
  const context: unknown = Reflect.get(client, "_context");
  invariant(typeof context === "object" && context !== null && "connection" in context, "the client has a connection, as in version 6.0.4");
  return context.connection as Connection;
}

function understood<Client>(make: () => Client, hub: string): Client {
  try {
    return make();
  } catch {
    throw new Error(`the connection string of the event hub ${hub} is malformed, or for another hub`);
  }
}
