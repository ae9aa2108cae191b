import type { MachineLogView, MachineVersionsView, ProcessListView } from '../../contracts/admin/index.ts'
import type { Machine } from '../machines/index.ts'
import type { MachineVersions, PrintedByMachine, SeenProcess } from './inspections.ts'

const headOf = ({ name, observed }: Machine) => ({ name, state: observed })

export function viewProcesses({
  machine,
  processes,
}: {
  readonly machine: Machine
  readonly processes: readonly SeenProcess[]
}): ProcessListView {
  const pids = new Set(processes.map(({ pid }) => pid))
  return {
    ...headOf(machine),
    count: processes.length,
    processes: processes.map(({ pid, parent, command, state, seconds, memoryBytes }) => ({
      ...{ id: String(pid), parent_id: pids.has(parent) ? String(parent) : null, command },
      ...{ status: state, seconds, memory_bytes: memoryBytes },
    })),
  }
}

export const viewPrinted = ({ machine, process, text, isCut }: PrintedByMachine): MachineLogView => ({
  ...headOf(machine),
  ...{ process_id: process && String(process.pid), process_status: process?.state ?? null },
  ...{ stdout: text, stderr: '', truncated: isCut },
})

export const viewVersions = ({ machine, openclaw, node }: MachineVersions): MachineVersionsView => ({
  ...{ ...headOf(machine), image: machine.image },
  ...{ openclaw_version: openclaw, node_version: node },
})
