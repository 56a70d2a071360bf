/** Power cuts, full disks and kills at any call for programs under test: see the folder of this name. */
export { cutPower, type PowerCut, writeDisk } from "./file-faults/power-cut.ts";
export { type Recorded, readRecorded, record } from "./file-faults/record.ts";
export { callsLeft, hasCompiler, setKill, setRoom, withFaults } from "./file-faults/shim.ts";
