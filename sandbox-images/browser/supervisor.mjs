import { lead } from './lead.mjs'

await lead('browser')
