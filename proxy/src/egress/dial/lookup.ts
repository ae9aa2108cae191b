import { isIP, type LookupFunction } from 'node:net'
import { DAEMON_OWNER } from '../../kernel/index.ts'
import { resolveWithSystem } from './resolve.ts'

/**
 * For clients that connect by themselves, in place of Node's own: `dns.lookup` holds a thread until it ends. Counted against
 * the daemon, whoever's request the work began with.
 */
export const lookupForDaemon: LookupFunction = (host, options, done) => {
  resolveWithSystem(host, new AbortController().signal, DAEMON_OWNER).then(
    (addresses) => {
      const all = addresses.map((address) => ({ address, family: isIP(address) }))
      const wanted = all.filter(({ family }) => !options.family || options.family === family)
      const [first] = wanted
      if (first === undefined) done(new Error('The host has no address.'), '')
      else if (options.all) done(null, wanted)
      else done(null, first.address, first.family)
    },
    (error: NodeJS.ErrnoException) => done(error, ''),
  )
}
