import { tellSourcePositions } from './compose/source-positions.ts'

/** Where the bundle begins. */
tellSourcePositions()
await import('./command-line.ts')
