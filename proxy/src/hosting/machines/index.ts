export { createDockerDriver } from './docker-driver.ts'
export { HOME, STATE_MOUNT } from './docker-machine.ts'
export { programOf } from './docker-processes.ts'
export type { Ec2Access } from './ec2/ec2-calls.ts'
export { createEc2Driver } from './ec2/ec2-driver.ts'
export type { Ec2Place } from './ec2/ec2-machine.ts'
export { type FilePath, filePathIn } from './file-path.ts'
export type {
  Activity,
  Machine,
  MachineEvent,
  MachineKey,
  MachineRef,
  MachineSpec,
  MachineTime,
} from './machine.ts'
export type { Claimed } from './machine-claim.ts'
export {
  DriverFault,
  type FileKind,
  type FolderEntry,
  type Held,
  type KeptFiles,
  type MachineDriver,
  type MachineFolders,
  type MachinePersistence,
  type MachineProcess,
  type Phase,
} from './machine-driver.ts'
export { createMachineHost, type MachineHost } from './machine-host.ts'
export { incarnationName } from './machine-labels.ts'
export { createMachineStore } from './machine-store.ts'
export type { Machines } from './machines.ts'
export type { SleepForecast } from './sleep-ladder.ts'
