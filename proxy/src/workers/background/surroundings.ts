import type { Surroundings } from '../work-pool/index.ts'

/** By which `pg` finds a server, who asks, and the certificate, beside the address. */
const OF_CONNECTIONS = /^(?:PG[A-Z]+|HOME|USER|NODE_EXTRA_CA_CERTS|NODE_USE_SYSTEM_CA|SSL_CERT_(?:FILE|DIR))$/
/** Of Node's own options, those that say whose certificates are good. */
const OF_CERTIFICATES = /^--use-(?:openssl|system|bundled)-ca$/

/** Of this process, for one that connects to PostgreSQL as its own connections do. Relative paths mean the same there as here. */
export function surroundingsOfConnections(): Surroundings {
  const options = [...process.execArgv, ...(process.env.NODE_OPTIONS ?? '').split(/\s+/)]
  return {
    cwd: currentFolder(),
    env: Object.fromEntries(Object.entries(process.env).filter(([name]) => OF_CONNECTIONS.test(name))),
    execArgv: [...new Set(options.filter((option) => OF_CERTIFICATES.test(option)))],
  }
}

/** A folder that was removed meanwhile is none to start in. */
function currentFolder(): string {
  try {
    return process.cwd()
  } catch {
    return '/'
  }
}
