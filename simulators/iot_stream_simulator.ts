import { liveProgram } from "./live_program.ts";
import { exitWith } from "./program.ts";

// Source 2 of the data guide, live: `tsx simulators/iot_stream_simulator.ts 30` sends 90 records in 30 s. With `--to stdout` no hub is needed.
exitWith(liveProgram({ profile: "substations", to: "eventhub:energy.substation.telemetry" }));
