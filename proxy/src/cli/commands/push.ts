import type { AdminRoutes } from '../../contracts/admin/index.ts'
import type { RouteCall } from '../../contracts/index.ts'
import { usageError } from '../cli-error.ts'
import type { CommandGroup } from '../context.ts'
import { terminalLine } from '../text-layout.ts'

export const addPushCommands: CommandGroup = (program, context) => {
  const push = program.command('push').description('browsers that are told when something waits')
  push
    .command('list')
    .description('your browsers, and the key that one subscribes with')
    .action(async () => {
      const list = await context.client.call('listPush')
      await context.show(list, () =>
        [
          ...list.subscriptions.map(({ id, service }) => `${id}  ${terminalLine(service)}`),
          `key: ${list.public_key}`,
        ].join('\n'),
      )
    })
  push
    .command('add')
    .description('tell a browser, by its PushSubscription as JSON on standard input')
    .action(async () => {
      const text = await context.terminal.readSecretFromInput()
      let body: RouteCall<AdminRoutes['addPush']>['body']
      try {
        body = JSON.parse(text) as typeof body
      } catch {
        throw usageError('Standard input is no PushSubscription as JSON.')
      }
      const added = await context.client.call('addPush', { body })
      await context.show(added, () => `${added.id} is told from now on.`)
    })
  push
    .command('remove')
    .description('tell a browser no more')
    .argument('<id>')
    .action(async (id: string) => {
      const done = await context.client.call('removePush', { params: { id } })
      await context.show(done, () => 'It is told no more.')
    })
}
