import type { Provider } from '../providers/index.ts'

/** `https://api.example.com`, with the port only where it is not the usual one. */
export function formatOrigin({ scheme, host, port }: Pick<Provider, 'scheme' | 'host' | 'port'>): string {
  const shown = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
  return `${scheme}://${shown}${port === (scheme === 'https' ? 443 : 80) ? '' : `:${port}`}`
}
