import { openDesktop } from './desktop.mjs'
import { lead } from './lead.mjs'

await lead('desktop', openDesktop)
