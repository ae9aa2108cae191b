import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hasNginx, NGINX_MISSING } from '../../../bench/nginx.ts'
import { compareReaders, type DifferentialReport } from './differential.ts'
import { startNginxReader } from './nginx.ts'

const LANES = 8
const PROGRESS = 100_000

/** Prints the counts as they grow; whether all readers agree about all that ours took. */
export async function fuzzMessages(inputs: number, maxByNginx: number, seed: number): Promise<boolean> {
  if (!hasNginx()) throw new Error(NGINX_MISSING)
  const folder = mkdtempSync(join(tmpdir(), 'oauth3-fuzz-'))
  const nginx = await startNginxReader(folder, LANES)
  try {
    const report = await compareReaders({
      inputs,
      seed,
      nginx,
      maxByNginx,
      every: PROGRESS,
      onProgress: print,
    })
    print(report)
    for (const one of report.disagreements) console.error(one)
    return report.disagreements.length === 0
  } finally {
    await nginx.stop()
    rmSync(folder, { recursive: true, force: true })
  }

  function print({ disagreements, ...counts }: DifferentialReport): void {
    console.log(JSON.stringify({ seed, ...counts, disagreements: disagreements.length }))
  }
}
