/** Copies a database and ends itself by SIGKILL at a point of it. Arguments: from, to (JSON), which step's how manieth word. */
import { copyDatabase } from '../../src/storage/copy-database.ts'

const [from = '', to = '', step = '', at = ''] = process.argv.slice(2)
let seen = 0
await copyDatabase({
  from: JSON.parse(from),
  to: JSON.parse(to),
  onProgress(progress) {
    if (progress.step !== step) return
    seen += 1
    if (seen === Number(at)) process.kill(process.pid, 'SIGKILL')
  },
})
