/** Origins of hosted agents' own pages: one each, so that no agent's page reaches another's, or the console. */

export interface PageOrigins {
  /** Whether there are any. */
  readonly isOn: boolean
  /** Null: there are none. */
  originOf(machine: string): string | null
  /** Of the machine that a Host names; undefined for any other Host. */
  machineOf(host: string | undefined): string | undefined
  readonly isSecure: boolean
}

/** `pattern`: an origin with `*` as the first label of its name; where it names no port, plain HTTP has the daemon's. */
export function createPageOrigins(pattern: string | null, port: () => number): PageOrigins {
  const [, scheme = '', suffix = '', given = ''] =
    /^(https?):\/\/\*(\.[a-z0-9.-]+)(:\d+)?$/.exec(pattern ?? '') ?? []
  const isSecure = scheme === 'https'
  const rest = (): string => {
    const implied = isSecure || port() === 80 ? '' : `:${port()}`
    return suffix + (given || implied)
  }
  return {
    isSecure,
    isOn: suffix !== '',
    // A name takes no underscore.
    originOf: (machine) =>
      suffix === '' ? null : `${scheme}://${machine.replaceAll('_', '-').toLowerCase()}${rest()}`,
    machineOf(host) {
      const name = host?.toLowerCase() ?? ''
      if (suffix === '' || !name.endsWith(rest())) return undefined
      const label = name.slice(0, -rest().length)
      return /^mch-[0-9a-f]{16}$/.test(label) ? label.replace('-', '_') : undefined
    },
  }
}
