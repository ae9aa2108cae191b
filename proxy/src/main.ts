import { join } from 'node:path'
import { enableCheckoutCompileCache } from './compose/compile-cache.ts'

/** Where a checkout begins; what `npm run build` made of one begins in bundled.ts. */
enableCheckoutCompileCache(join(import.meta.dirname, '../../node_modules'))
await import('./command-line.ts')
