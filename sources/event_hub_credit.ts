import { Receiver } from "rhea-promise";

const { addCredit } = Receiver.prototype;

/**
 * Keeps the library's prefetch a bound. @azure/event-hubs 6.0.4 opens the link for 3,000 more events at each receive, whatever it is still open
 * for: a partition that trickles or rests for an hour is then sent millions at once, however far behind we are (Azure/azure-sdk-for-js#39452).
 * With this, a link is open for no more than was asked for last. To be called before the first receive; a second call changes nothing.
 */
export function boundCredit(): void {
  Receiver.prototype.addCredit = addMissingCredit;
}

function addMissingCredit(this: Receiver, credit: number): void {
  if (credit > this.credit) addCredit.call(this, credit - this.credit);
}
