/** What each client library does in the sandbox: one call, as its documentation has it; `said` is what it prints. */
import { S3_KEY_ID, VENDORS } from './client-doubles.ts'

export interface ClientProgram {
  readonly host: string
  readonly code: string
  readonly said: string
  /** The value itself instead of a placeholder: what is signed with it cannot be put in later. */
  readonly raw?: true
  /** It makes code from text. */
  readonly dynamicCode?: true
}

const { plain } = VENDORS

export const JAVASCRIPT_CLIENTS: Readonly<Record<string, ClientProgram>> = {
  stripe: {
    host: VENDORS.stripe,
    code: `import Stripe from 'stripe'
      const stripe = new Stripe(process.env.TOKEN)
      console.log((await stripe.customers.create({ email: 'a@b.test' })).id)`,
    said: 'cus_demo',
  },
  octokit: {
    host: VENDORS.github,
    code: `import { Octokit } from 'octokit'
      const octokit = new Octokit({ auth: process.env.TOKEN })
      console.log((await octokit.rest.repos.get({ owner: 'demo', repo: 'demo' })).data.full_name)`,
    said: 'demo/demo',
  },
  '@slack/web-api': {
    host: VENDORS.slack,
    code: `import { WebClient } from '@slack/web-api'
      const slack = new WebClient(process.env.TOKEN, { retryConfig: { retries: 0 } })
      console.log((await slack.chat.postMessage({ channel: 'C1', text: 'hi' })).ts)`,
    said: '1.2',
  },
  openai: {
    host: VENDORS.openai,
    code: `import OpenAI from 'openai'
      const client = new OpenAI({ apiKey: process.env.TOKEN, maxRetries: 0 })
      let text = ''
      const stream = await client.chat.completions.create({ model: 'm', stream: true, messages: [{ role: 'user', content: 'hi' }] })
      for await (const chunk of stream) text += chunk.choices[0]?.delta?.content ?? ''
      console.log(text)`,
    said: 'hello',
  },
  '@aws-sdk/client-s3': {
    host: VENDORS.s3,
    raw: true,
    code: `import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
      const client = new S3Client({ region: 'us-east-1', forcePathStyle: true, maxAttempts: 1,
        credentials: { accessKeyId: '${S3_KEY_ID}', secretAccessKey: process.env.TOKEN } })
      await client.send(new PutObjectCommand({ Bucket: 'demo', Key: 'a key.txt', Body: 'some text' }))
      const got = await client.send(new GetObjectCommand({ Bucket: 'demo', Key: 'a key.txt' }))
      console.log(await got.Body.transformToString())
      process.exit(0)`,
    said: 'some text',
  },
  axios: {
    host: plain,
    code: `import axios from 'axios'
      import https from 'node:https'
      const httpsAgent = new https.Agent({ keepAlive: true })
      const options = { httpsAgent, proxy: false, headers: { Authorization: 'Bearer ' + process.env.TOKEN } }
      console.log((await axios.post('https://${plain}/echo', 'by axios', options)).data.echo)
      process.exit(0)`,
    said: 'by axios',
  },
  got: {
    host: plain,
    code: `import got from 'got'
      const headers = { authorization: 'Bearer ' + process.env.TOKEN }
      console.log((await got.post('https://${plain}/echo', { body: 'by got', headers, retry: { limit: 0 } }).json()).echo)`,
    said: 'by got',
  },
  needle: {
    host: plain,
    // It asks the proxy of the environment by itself, for the whole https URL.
    code: `import needle from 'needle'
      process.noDeprecation = true
      const headers = { authorization: 'Bearer ' + process.env.TOKEN }
      console.log((await needle('post', 'https://${plain}/echo', 'by needle', { headers })).body.echo)`,
    said: 'by needle',
  },
  undici: {
    host: plain,
    // Its parser of HTTP is WebAssembly.
    dynamicCode: true,
    code: `import { Agent, request } from 'undici'
      const headers = { authorization: 'Bearer ' + process.env.TOKEN }
      const { body } = await request('https://${plain}/echo', { method: 'POST', body: 'by undici', headers, dispatcher: new Agent() })
      console.log((await body.json()).echo)
      process.exit(0)`,
    said: 'by undici',
  },
  ws: {
    host: plain,
    code: `import WebSocket from 'ws'
      const socket = new WebSocket('wss://${plain}/socket', { headers: { authorization: 'Bearer ' + process.env.TOKEN } })
      socket.on('open', () => socket.send('by ws'))
      console.log(await new Promise((done, failed) => socket.on('message', (data) => done(String(data))).on('error', failed)))
      process.exit(0)`,
    said: 'by ws',
  },
}

const python = (text: string): string => `import os\nTOKEN = os.environ["TOKEN"]\n${text}`
const AUTHORIZED = 'headers={"Authorization": "Bearer " + TOKEN}'

export const PYTHON_CLIENTS: Readonly<Record<string, ClientProgram>> = {
  'urllib.request': {
    host: plain,
    code: python(`import json, urllib.request
request = urllib.request.Request("https://${plain}/echo", data=b"by urllib", ${AUTHORIZED})
print(json.load(urllib.request.urlopen(request))["echo"])`),
    said: 'by urllib',
  },
  'http.client': {
    host: plain,
    code: python(`import http.client, json
connection = http.client.HTTPSConnection("${plain}")
connection.request("POST", "/echo", b"by http.client", ${AUTHORIZED})
print(json.load(connection.getresponse())["echo"])`),
    said: 'by http.client',
  },
  requests: {
    host: plain,
    code: python(`import requests
print(requests.post("https://${plain}/echo", data="by requests", ${AUTHORIZED}).json()["echo"])`),
    said: 'by requests',
  },
  'requests without the environment': {
    host: plain,
    code: python(`import requests
session = requests.Session()
session.trust_env = False
print(session.post("https://${plain}/echo", data="by a session", ${AUTHORIZED}).json()["echo"])`),
    said: 'by a session',
  },
  httpx: {
    host: plain,
    code: python(`import httpx
print(httpx.post("https://${plain}/echo", content="by httpx", ${AUTHORIZED}).json()["echo"])`),
    said: 'by httpx',
  },
  aiohttp: {
    host: plain,
    code: python(`import aiohttp, asyncio
async def main():
    async with aiohttp.ClientSession() as session:
        async with session.post("https://${plain}/echo", data=b"by aiohttp", ${AUTHORIZED}) as answer:
            print((await answer.json())["echo"])
asyncio.run(main())`),
    said: 'by aiohttp',
  },
  websockets: {
    host: plain,
    code: python(`import asyncio, websockets
async def main():
    async with websockets.connect("wss://${plain}/socket", extra_${AUTHORIZED}) as socket:
        await socket.send("by websockets")
        print(await socket.recv())
    return
asyncio.run(main())`),
    said: 'by websockets',
  },
  boto3: {
    host: VENDORS.s3,
    raw: true,
    code: python(`import boto3
from botocore.config import Config
client = boto3.client("s3", region_name="us-east-1", endpoint_url="https://${VENDORS.s3}", aws_access_key_id="${S3_KEY_ID}", aws_secret_access_key=TOKEN,
    config=Config(signature_version="s3v4", s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}))
client.put_object(Bucket="demo", Key="a key.txt", Body=b"some text")
print(client.get_object(Bucket="demo", Key="a key.txt")["Body"].read().decode())`),
    said: 'some text',
  },
}
