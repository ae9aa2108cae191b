import { formatExactUsd } from '../../kernel/index.ts'
import { okBody } from '../../surfaces/admin-api/wire.ts'
import { priceList, priceView } from '../../surfaces/admin-api/wire-llm.ts'
import { adminPath } from '../admin-client.ts'
import type { CommandGroup } from '../context.ts'
import { parseMicroUsd } from '../money.ts'
import { alignedRight, renderTable } from '../table.ts'
import { examples } from './shared.ts'

interface SetOptions {
  readonly input: number
  readonly output: number
  readonly cacheRead?: number
  readonly cacheWrite?: number
}

export const addPriceCommands: CommandGroup = (program, context) => {
  const price = program.command('price').description('what models cost, in dollars for a million tokens')

  price
    .command('list')
    .description('the table of prices; yours come before the built-in ones')
    .argument('[provider]', 'of this provider alone')
    .action(async (provider: string | undefined) => {
      const answer = await context.client.call(priceList, 'GET', adminPath('prices'))
      const prices = answer.prices.filter((row) => provider === undefined || row.provider === provider)
      await context.show({ prices }, () => {
        if (prices.length === 0) return 'No prices; set one with: oauth3 price set PROVIDER MODEL'
        const [head, ...rows] = alignedRight(
          ['PROVIDER', 'MODEL', 'INPUT', 'OUTPUT', 'CACHE READ', 'CACHE WRITE', 'SET BY'],
          prices.map((row) => [
            row.provider,
            row.model,
            formatExactUsd(row.input),
            formatExactUsd(row.output),
            row.cache_read === null ? 'as input' : formatExactUsd(row.cache_read),
            row.cache_write === null ? 'as input' : formatExactUsd(row.cache_write),
            row.own ? 'you' : 'built in',
          ]),
          [2, 3, 4, 5],
        )
        const { style, columns } = context.terminal
        return renderTable(head, rows, style, { columns, shrink: [[1, 19]] })
      })
    })

  price
    .command('set')
    .description('set the price of a model, in dollars for a million tokens')
    .argument('<provider>')
    .argument('<model>', 'its name, or a beginning that ends in *; the longest that fits counts')
    .requiredOption('--input <dollars>', 'tokens that go in', parseMicroUsd)
    .requiredOption('--output <dollars>', 'tokens that come out', parseMicroUsd)
    .option('--cache-read <dollars>', 'tokens read from a cache (default: as input)', parseMicroUsd)
    .option('--cache-write <dollars>', 'tokens written to a cache (default: as input)', parseMicroUsd)
    .addHelpText(
      'after',
      examples(
        ['oauth3 price set openai gpt-5 --input 1.25 --output 10 --cache-read 0.125', 'one model'],
        ['oauth3 price set mine "*" --input 0 --output 0', 'a server of your own costs nothing'],
      ),
    )
    .action(async (provider: string, model: string, options: SetOptions) => {
      const body = {
        provider,
        model,
        input: options.input,
        output: options.output,
        cache_read: options.cacheRead ?? null,
        cache_write: options.cacheWrite ?? null,
      }
      const set = await context.client.call(priceView, 'PUT', adminPath('prices'), body)
      await context.show(
        set,
        () =>
          `${set.provider} ${set.model}: ${formatExactUsd(set.input)} in, ${formatExactUsd(set.output)} out, for a million tokens from now on.`,
      )
    })

  price
    .command('remove')
    .description('take a price of yours away; a built-in one counts again')
    .argument('<provider>')
    .argument('<model>')
    .action(async (provider: string, model: string) => {
      const answer = await context.client.call(okBody, 'DELETE', adminPath('prices', provider, model))
      await context.show(answer, () => `The price of ${provider} ${model} was removed.`)
    })
}
