// What the desktop's icon of Chromium starts.
import { join } from 'node:path'
import { openForPerson } from './chromium.mjs'

openForPerson(join(process.env.HOME, 'chromium'), process.argv.slice(2))
