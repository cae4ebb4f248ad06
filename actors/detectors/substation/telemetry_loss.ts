import type { Out } from "../../../engine/behaviour.ts";
import { gridDayOf, gridDayStartMs } from "../../civil_day.ts";
import type { GridMessage } from "../../message.ts";
import { limitsOf } from "../../rules.ts";
import type { TelemetryReported } from "../../tells.ts";
import { rounded } from "../rounded.ts";

/** Sequence numbers of a device today. Changed in place. */
export interface Device {
  day: number;
  first: number;
  last: number;
  received: number;
  /** Of parts of the day before the device restarted. */
  expectedBefore: number;
  /** Share that was lost on the last day that is over. */
  lost: number;
}

/** Devices by `device <id>`. */
export type Devices = Record<string, Device>;

const DEVICES_MAX = 16;

/** `substation.telemetry_loss`, for each device and day: numbers that did not come. A fall to a small number is a restart of the device. */
export function judgeLoss(devices: Devices, { atMs, deviceId, sequenceNumber }: TelemetryReported, out: Out<GridMessage>): void {
  if (deviceId === null || sequenceNumber === null) return;
  const key = `device ${deviceId}`;
  const known = devices[key];
  if (known === undefined && Object.keys(devices).length >= DEVICES_MAX) return;
  const day = gridDayOf(atMs);
  const device = known ?? { day, first: sequenceNumber, last: sequenceNumber, received: 0, expectedBefore: 0, lost: 0 };
  devices[key] = device;
  if (day > device.day) endDay(devices, device, day, out);
  if (device.received === 0) device.first = device.last = sequenceNumber;
  else if (sequenceNumber < device.last / 2) restart(device, sequenceNumber);
  device.first = Math.min(device.first, sequenceNumber);
  device.last = Math.max(device.last, sequenceNumber);
  device.received += 1;
}

function restart(device: Device, sequenceNumber: number): void {
  device.expectedBefore += device.last - device.first + 1;
  device.first = device.last = sequenceNumber;
}

function endDay(devices: Devices, device: Device, day: number, out: Out<GridMessage>): void {
  const { limitShare, warningShare, expectedMin } = limitsOf(out, "substation.telemetry_loss");
  const expected = device.expectedBefore + device.last - device.first + 1;
  device.lost = expected < expectedMin ? 0 : Math.max(0, 1 - device.received / expected);
  const worst = Math.max(...Object.values(devices).map(({ lost }) => lost));
  out.observe("substation.telemetry_loss", {
    holds: worst > limitShare,
    atMs: gridDayStartMs(device.day + 1),
    value: rounded(worst, 4),
    limit: limitShare,
    ...(worst > warningShare ? { severity: "warning" as const } : {}),
    evidence: { expected, received: device.received, devices: Object.keys(devices).length },
  });
  Object.assign(device, { day, received: 0, expectedBefore: 0 });
}
