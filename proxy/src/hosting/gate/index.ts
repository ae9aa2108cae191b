export { createBootScripts } from './boot-script.ts'
export { createGateKeys, type GateKeys, pinAt } from './gate-keys.ts'
export { type MachineGate, type MachineGateDeps, openMachineGate } from './machine-gate.ts'
