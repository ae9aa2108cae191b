interface ConsoleConfig {
  readonly port: number
  /** The origin under which it is reached from elsewhere; none: this host alone. */
  readonly publicUrl?: string | null
}

/** The console's page of a request, as the owner's browser reaches it. A passkey is bound to a name: `localhost`, never an address. */
export const consolePageOf = ({ port, publicUrl }: ConsoleConfig, id: string): string =>
  new URL(`/console/requests/${encodeURIComponent(id)}`, publicUrl ?? `http://localhost:${port}`).href
