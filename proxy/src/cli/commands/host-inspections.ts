import type { Command } from 'commander'
import { formatBytes } from '../../kernel/index.ts'
import type { CommandContext } from '../context.ts'
import { examples } from '../help.ts'
import { renderTable } from '../table.ts'
import { groupedDigits, terminalText } from '../text-layout.ts'

/** What is seen of a hosted agent's machine from outside. */
export function addInspectionCommands(host: Command, context: CommandContext): void {
  const { terminal, show } = context
  host
    .command('processes')
    .description('what runs in its machine: programs without their arguments; wakes none')
    .argument('<name>')
    .action(async (name: string) => {
      const answer = await context.client.call('listHostProcesses', { params: { name } })
      await show(answer, () =>
        answer.processes.length === 0
          ? `Nothing runs in ${name}: it is ${answer.state}.`
          : renderTable(
              ['ID', 'PARENT', 'PROGRAM', 'STATUS', 'SECONDS', 'MEMORY'],
              answer.processes.map((one) => [
                ...[one.id, one.parent_id ?? '', terminalText(one.command), one.status],
                ...[groupedDigits(one.seconds), formatBytes(one.memory_bytes)],
              ]),
              terminal.style,
              { columns: terminal.columns, shrink: [[2, 12]] },
            ),
      )
    })

  host
    .command('logs')
    .description(
      'the newest that its OpenClaw printed since the daemon or the machine started, without secrets; wakes none',
    )
    .argument('<name>')
    .option('--id <process>', 'of a process that runs: oauth3 host processes NAME')
    .addHelpText('after', examples(['oauth3 host logs claw', 'the newest lines, the last of them last']))
    .action(async (name: string, { id }: { readonly id?: string }) => {
      const answer = await context.client.call('readHostLog', { params: { name }, query: { id } })
      await show(answer, () =>
        answer.stdout === ''
          ? `Nothing was printed that is kept; ${name} is ${answer.state}.`
          : `${answer.truncated ? '(older lines are left out)\n' : ''}${terminalText(answer.stdout.trimEnd())}`,
      )
    })

  host
    .command('version')
    .description('what its machine is made of, and what is in it; wakes none')
    .argument('<name>')
    .action(async (name: string) => {
      const answer = await context.client.call('readHostVersion', { params: { name } })
      await show(answer, () =>
        [
          `${name}: ${answer.state}`,
          `  image       ${answer.image}`,
          `  OpenClaw    ${answer.openclaw_version ?? 'not known now'}`,
          `  Node        ${answer.node_version ?? 'not known now'}`,
        ].join('\n'),
      )
    })
}
