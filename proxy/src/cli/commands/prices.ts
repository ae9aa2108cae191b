import { InvalidArgumentError } from 'commander'
import type { PriceView } from '../../contracts/admin/index.ts'
import { formatExactUsd } from '../../kernel/index.ts'
import type { CommandGroup } from '../context.ts'
import { examples } from '../help.ts'
import { parseMicroUsd } from '../money.ts'
import { alignedRight, renderTable } from '../table.ts'

interface SetOptions {
  readonly input: number
  readonly output: number
  readonly cacheRead?: number
  readonly cacheWrite?: number
  readonly audioInput?: number
  readonly audioOutput?: number
  readonly imageInput?: number
  readonly imageOutput?: number
  readonly item?: Readonly<Record<string, number>>
}

export const addPriceCommands: CommandGroup = (program, context) => {
  const price = program.command('price').description('what models cost, in dollars for a million tokens')

  price
    .command('list')
    .description('the table of prices; yours come before the built-in ones')
    .argument('[provider]', 'of this provider alone')
    .action(async (provider: string | undefined) => {
      const answer = await context.client.call('listPrices')
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
    .option('--audio-input <dollars>', 'of them, tokens of sound that go in', parseMicroUsd)
    .option('--audio-output <dollars>', 'tokens of sound that come out', parseMicroUsd)
    .option('--image-input <dollars>', 'tokens of images that go in (default: as input)', parseMicroUsd)
    .option('--image-output <dollars>', 'tokens of images that come out (default: as output)', parseMicroUsd)
    .option(
      '--item <name=dollars>',
      'one piece: image, web_search, audio_second, page, …; repeatable',
      itemFrom,
    )
    .addHelpText(
      'after',
      examples(
        ['oauth3 price set mine draw-1 --input 1 --output 2 --item image=0.04', 'four cents an image'],
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
        audio_input: options.audioInput,
        audio_output: options.audioOutput,
        image_input: options.imageInput,
        image_output: options.imageOutput,
        items: options.item,
      }
      const set = await context.client.call('setPrice', { body })
      await context.show(
        set,
        () =>
          `${set.provider} ${set.model}: ${formatExactUsd(set.input)} in, ${formatExactUsd(set.output)} out, for a million tokens from now on.${partsText(set)}`,
      )
    })

  price
    .command('remove')
    .description('take a price of yours away; a built-in one counts again')
    .argument('<provider>')
    .argument('<model>')
    .action(async (provider: string, model: string) => {
      const answer = await context.client.call('removePrice', { params: { provider, model } })
      await context.show(answer, () => `The price of ${provider} ${model} was removed.`)
    })
}

function itemFrom(text: string, before: Readonly<Record<string, number>> = {}): Record<string, number> {
  const [, name, dollars] = /^([a-z_]{1,32})=(.+)$/.exec(text) ?? []
  if (name === undefined || dollars === undefined) {
    throw new InvalidArgumentError('It takes NAME=DOLLARS, such as image=0.04.')
  }
  return { ...before, [name]: parseMicroUsd(dollars) }
}

/** What else has a price of its own. */
function partsText({ audio_input, audio_output, image_input, image_output, items = {} }: PriceView): string {
  const media = {
    'sound in': audio_input,
    'sound out': audio_output,
    'images in': image_input,
    'images out': image_output,
  }
  const parts = [...Object.entries(media), ...Object.entries(items)].flatMap(([name, price]) =>
    price === undefined ? [] : [`${name} ${formatExactUsd(price)}`],
  )
  return parts.length === 0 ? '' : ` Apart: ${parts.join(', ')}.`
}
