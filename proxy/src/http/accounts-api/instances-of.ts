import { type HostedAgent, isDesktopOf, kindOf } from '../../hosting/agents/index.ts'
import { AppError } from '../../kernel/index.ts'
import type { ConsoleTenant } from '../console/index.ts'

/** For clients that know of no such thing as an agent to be made. */
export const NO_INSTANCE = 'The account has no hosted agent; POST /api/instances makes one.'

/** The account's own alone: of any other tenant's machine nothing is known here. */
export const instancesOf = async ({
  hosting,
}: Pick<ConsoleTenant, 'hosting'>): Promise<readonly HostedAgent[]> =>
  hosting === null ? [] : (await hosting.list()).filter(({ machine }) => kindOf(machine) === 'openclaw')

/** Throws `not_found`. */
export async function instanceOf(of: Pick<ConsoleTenant, 'hosting'>, id: string): Promise<HostedAgent> {
  const found = (await instancesOf(of)).find(({ machine }) => machine.id === id)
  if (found === undefined) throw new AppError('not_found', 'No such instance.')
  return found
}

/** Throws `not_found`. */
export async function desktopOf(
  { hosting }: Pick<ConsoleTenant, 'hosting'>,
  host: HostedAgent['machine'],
): Promise<HostedAgent> {
  const found = (await hosting?.list())?.find(({ machine }) => isDesktopOf(machine, host))
  if (found === undefined) throw new AppError('not_found', `${host.name} has no desktop.`)
  return found
}

/** By id or name, or the one that there is. Throws `not_found`, and `invalid_request` where there are several and none is named. */
export async function chosenInstance(
  of: Pick<ConsoleTenant, 'hosting'>,
  named: string | undefined,
): Promise<HostedAgent> {
  // One that is being removed is nobody's choice any more.
  const all = (await instancesOf(of)).filter(({ machine }) => machine.desired !== 'deleted')
  const names = all.map(({ machine }) => machine.name).join(', ')
  const found =
    named === undefined ? all[0] : all.find(({ machine }) => machine.id === named || machine.name === named)
  if (found === undefined)
    throw new AppError('not_found', named === undefined ? NO_INSTANCE : 'No such instance.')
  if (named === undefined && all.length > 1)
    throw new AppError('invalid_request', `Name one by ?instance=…: ${names}.`)
  return found
}
