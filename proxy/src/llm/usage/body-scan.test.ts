import { describe, expect, it } from 'vitest'
import { scanBody } from './body-scan.ts'
import { splicedPieces } from './splice.ts'
import { usageWish } from './stream-options.ts'

const scan = (text: string) => scanBody(Buffer.from(text))
const asking = (text: string) => {
  const body = Buffer.from(text)
  const wish = usageWish(scanBody(body))
  return wish && Buffer.concat(splicedPieces(body, [wish])).toString()
}

describe("the scan of a request's body", () => {
  it('finds what the proxy must know, at the top alone', () => {
    const text =
      ' {"messages":[{"model":"no","stream":true}],"model":"gpt-\\u0035","stream":true,"max_tokens":7,"max_completion_tokens":9}'
    expect(scan(text)).toMatchObject({
      model: 'gpt-5',
      stream: true,
      maxTokens: 9,
      includeUsage: false,
      objectStart: 1,
    })
    expect(scan('{}')).toMatchObject({
      model: null,
      modelAt: null,
      stream: false,
      streamOptions: null,
      maxTokens: null,
    })
    expect(scan('{"stream_options":{"include_usage":true}}')).toMatchObject({ includeUsage: true })
    expect(scan('{"generationConfig":{"maxOutputTokens":50}}')).toMatchObject({ maxTokens: 50 })
  })

  it.each([
    '{"model":"a","model":"b"}',
    '{"model":"a","x":{},"mod\\u0065l":"b"}',
    '{"\\u006d\\u006F\\u0064\\u0065\\u006c":"a","model":"a"}',
    '{"model":"a","Model":"b"}',
    '{"stream":true,"STREAM":false}',
    '{"\\u017ftream":true,"stream":false}',
    '{"stream_options":{},"stream_options":null}',
    '{"Stream_Options":{"include_usage":false}}',
    '{"stream_option\u017f":null}',
    '{"stream_options":{"include_usage":true,"include_usage":false}}',
    '{"stream_options":{"include_usage":true,"Include_Usage":false}}',
    '{"stream_options":{"include_usage":true,"include_us\\u0061ge":false}}',
    '{"stream_options":{"INCLUDE_USAGE":false}}',
    '{"models":["a"],"Models":["b"]}',
    '{"background":false,"Background":true}',
    '{"n":1,"N":2}',
    '{"max_tokens":1,"max_tokens":2}',
    '{"MAX_TOKENS":1}',
    '{"service_tier":"default","serviceTier":"priority"}',
    '{"generationConfig":{},"generation_config":{}}',
    '{"generationConfig":{"maxOutputTokens":1,"max_output_tokens":9}}',
    '{"options":{"Num_Predict":1}}',
  ])('refuses a key that decides something twice: %s', (text) => {
    expect(scan(text)).toMatchObject({ problem: 'doubled_key' })
  })

  it.each([
    ...[
      '',
      ' ',
      '[]',
      '"x"',
      '7',
      '{',
      '{"a"}',
      '{"a":}',
      '{"a":1,}',
      '{,}',
      '{"a":1}}',
      '{"a":[1}',
      '{"a":{]}',
    ],
    ...[
      '{"a":1 "b":2}',
      '{"a":[1,]}',
      '{"a":tru}',
      '{"a":01}',
      '{"a":+1}',
      '{"a":.5}',
      '{"a":NaN}',
      '{"a":"x}',
    ],
    ...[
      '{/* "model":"x" */"a":1}',
      "{'a':1}",
      '{"a":"\\"}',
      '{"model":"\\x"}',
      '{"\\x":1}',
      '\ufeff{}',
      '{"a":1}\0',
    ],
    ...['{"a":"\n"}', '{"\t":1}', '{"model":"a\0"}', '{"a":["\x1f"]}', '{"a":"\\\n"}'],
    '{"stream_options":{"\\x":1}}',
    `{"a":${'['.repeat(2_000)}${']'.repeat(2_000)}}`,
    `{"model":"a"${',"b":1'.repeat(1_024)}}`,
  ])('reads no model in what is no JSON object: %s', (text) => {
    expect(scan(text)).toEqual({ problem: 'not_json' })
  })

  it.each([
    ...['{"model":7}', '{"model":null}', '{"model":["a"]}', '{"models":[7]}', '{"models":["a",null]}'],
    ...[
      '{"models":{"0":"a"}}',
      '{"models":"a"}',
      '{"stream":"true"}',
      '{"stream":1}',
      '{"background":"yes"}',
    ],
    ...[
      '{"deferred":1}',
      '{"stream_options":[]}',
      '{"stream_options":{"include_usage":0}}',
      '{"service_tier":2}',
    ],
    ...[
      '{"n":0}',
      '{"n":-3}',
      '{"n":"9"}',
      '{"n":1.5}',
      '{"n":1e400}',
      '{"best_of":[]}',
      '{"max_tokens":"9"}',
    ],
    ...['{"max_tokens":1.5}', '{"max_completion_tokens":9007199254740993}', '{"max_output_tokens":{}}'],
    ...[
      '{"generationConfig":"x"}',
      '{"generationConfig":{"maxOutputTokens":"9"}}',
      '{"options":{"num_predict":true}}',
    ],
    ...['{"inferenceConfig":{"maxTokens":false}}', '{"generation_config":{"candidate_count":0}}'],
    `{"models":${JSON.stringify(Array.from({ length: 65 }, () => 'a'))}}`,
    `{"models":["${'x'.repeat(20_000)}"]}`,
  ])('refuses a member that decides something in another type: %s', (text) => {
    expect(scan(text)).toMatchObject({ problem: 'wrong_type' })
  })

  it('takes what SDKs send: null for what is left out, whole numbers however they are written, no limit', () => {
    for (const text of [
      '{"stream":null,"stream_options":null,"background":null,"service_tier":null,"n":null,"max_tokens":null}',
      '{"max_tokens":1024.0,"n":1.0}',
      '{"max_tokens":-1,"options":{"num_predict":-1}}',
      '{"generationConfig":null,"serviceTier":{"type":"default"}}',
    ]) {
      expect(scan(text)).not.toHaveProperty('problem')
    }
    expect(scan('{"deferred":true}')).toMatchObject({ background: true })
    expect(scan('{"service_tier":"batch"}')).toMatchObject({ background: true })
  })

  it('reads an object of as many members as may be, and no more: those inside of its values are not counted', () => {
    const inner = `[{"b":1${',"b":1'.repeat(5_000)}}]`
    expect(scan(`{"model":"a"${',"b":1'.repeat(1_023)}}`)).toMatchObject({ model: 'a' })
    expect(scan(`{"a":${inner},"model":"a"}`)).toMatchObject({ model: 'a' })
    expect(scan(`{"model":"a"${',"b":1'.repeat(1_024)}}`)).toEqual({ problem: 'not_json' })
  })

  it('comes to its end on bodies that are made to be slow', () => {
    for (const text of ['\\"', '\\\\', '"', '{"a":', '[', ' ', '[],', '"a":1,']) {
      scan(`{"a":"${text.repeat(1_000_000)}`)
      scan(`{"a":${text.repeat(1_000_000)}`)
    }
  })

  it.each([0, 20, 23, 24, 25, 60])(
    'knows the end of a string with quotes and backslashes behind %i bytes',
    (length) => {
      for (const tail of ['\\"', '\\\\', '\\\\\\"', '\\",\\"model\\":\\"b', 'x'.repeat(30)]) {
        const text = `{"a":"${'x'.repeat(length)}${tail}","model":"gpt-5"}`
        expect(JSON.parse(text)).toMatchObject({ model: 'gpt-5' })
        expect(scan(text)).toMatchObject({ model: 'gpt-5' })
      }
    },
  )

  it('finds a control character wherever it stands in a long string, and no other character for one', () => {
    // Lengths and places go past every border of words.
    const text = (length: number) => `${' !~\u007f\u0080é€😀'.repeat(80)}${'x'.repeat(length)}`
    for (let length = 0; length < 9; length += 1) {
      const body = Buffer.from(`{"${'k'.repeat(length)}":"${text(length)}"}`)
      expect(scanBody(body)).not.toHaveProperty('problem')
      const start = body.indexOf(':') + 2
      for (let at = start; at < body.length - 2; at += 1) {
        const kept = body[at] as number
        for (const control of [0, 0x1f]) {
          body[at] = control
          if (!('problem' in scanBody(body))) throw new Error(`${control} passed at ${at} of ${length}`)
        }
        body[at] = kept
      }
    }
  })

  it('finds the models that a vendor may take besides, the answers wanted, and what goes on in the background', () => {
    expect(scan('{"model":"a"}')).toMatchObject({ moreModels: [], background: false, choices: 1 })
    expect(scan('{"models":null,"background":null,"n":null}')).toMatchObject({
      ...{ moreModels: [], background: false, choices: 1 },
    })
    expect(scan('{"model":"a","Mod\\u0065ls":["b","a/\\u0063"],"background":true,"n":3}')).toMatchObject({
      ...{ model: 'a', moreModels: ['b', 'a/c'], background: true, choices: 3 },
    })
    expect(scan('{"x":{"models":["b"],"background":true,"n":9}}')).toMatchObject({
      ...{ moreModels: [], background: false, choices: 1 },
    })
    for (const [text, choices] of [
      ['{"n":2,"best_of":5}', 5],
      ['{"candidateCount":6}', 6],
      ['{"generationConfig":{"candidateCount":7}}', 7],
      ['{"generation_config":{"candidate_count":8}}', 8],
    ] as const) {
      expect(scan(text)).toMatchObject({ choices })
    }
    expect(scan('{"generation_config":{"max_output_tokens":50}}')).toMatchObject({ maxTokens: 50 })
    expect(scan('{"generationConfig":{"max_output_tokens":51}}')).toMatchObject({ maxTokens: 51 })
  })

  it('puts another model in and leaves every other byte', () => {
    const body = Buffer.from('{"big":12345678901234567890, "model" : "anthropic/x\\n","é":1.0}')
    const found = scanBody(body)
    if ('problem' in found || found.modelAt === null) throw new Error('no model')
    expect(Buffer.concat(splicedPieces(body, [{ ...found.modelAt, text: '"a\\"b"' }])).toString()).toBe(
      '{"big":12345678901234567890, "model" : "a\\"b","é":1.0}',
    )
  })
})

describe('the wish for a usage', () => {
  it.each([
    ['{"stream":true,"n":1.0}', '{"stream_options":{"include_usage":true},"stream":true,"n":1.0}'],
    ['{"stream":true,"stream_options":null}', '{"stream":true,"stream_options":{"include_usage":true}}'],
    ['{"stream":true,"stream_options":{ }}', '{"stream":true,"stream_options":{"include_usage":true }}'],
    [
      '{"stream":true,"stream_options":{"a":1}}',
      '{"stream":true,"stream_options":{"include_usage":true,"a":1}}',
    ],
    [
      '{"stream_options":{"include_usage":false,"a":1},"stream":true}',
      '{"stream_options":{"include_usage":true,"a":1},"stream":true}',
    ],
  ])('is put into %s', (before, after) => {
    expect(asking(before)).toBe(after)
  })

  it.each([
    ...['{"stream":false}', '{}', '[]', '{"stream":true,"stream_options":{"include_usage":true}}'],
    ...[
      '{"stream":true,"stream_options":7}',
      '{"stream":true,"stream_options":{"include_usage":false,"include_us\\u0061ge":true}}',
    ],
    '{"stream":true,"stream":true}',
  ])('is not put into %s', (text) => {
    expect(asking(text)).toBeNull()
  })
})
