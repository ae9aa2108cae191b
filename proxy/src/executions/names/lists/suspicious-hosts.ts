/**
 * Domains where anybody can receive, store or forward data without being asked who they are. A host is told when it is
 * one of these or lies below one. Short on purpose: names that are well known or often seen in abuse reports.
 * Source: collected by hand in November 2026 from what is publicly known of these services, not from one list; page hosts
 * and dynamic names compared with the private part of the Public Suffix List (tldts 7.6.0).
 */
const GROUPS = {
  'a paste or drop service, where anybody can read or leave data': `pastebin.com paste.ee dpaste.com dpaste.org
    hastebin.com  rentry.co rentry.org ghostbin.com ghostbin.co controlc.com justpaste.it pastes.io paste.rs
    p.ip.fi ix.io sprunge.us termbin.com 0x0.st transfer.sh file.io tmpfiles.org gofile.io anonfiles.com anonfile.com
    bayfiles.com catbox.moe uguu.se temp.sh bashupload.com oshi.at wormhole.app wetransfer.com we.tl filebin.net
    pixeldrain.com mega.nz mega.io mediafire.com krakenfiles.com workupload.com send.vis.ee sendgb.com filetransfer.io
    fileditch.com privatebin.net privatebin.info cl1p.net snippet.host textbin.net 1ty.me onetimesecret.com jsonbin.io
    jsonblob.com npoint.io kvdb.io mocky.io mockapi.io textdb.dev textdb.online keyvalue.immanuel.co dontpad.com
    telegra.ph graph.org write.as pastery.net nopaste.net bpa.st pastie.org codepad.org ideone.com glot.io
    gist.github.com paste.mozilla.org pasteio.com paste2.org paste.debian.net paste.ubuntu.com fpaste.org
    pastebin.pl pastebin.fr pb.plz.ac haste.zneix.eu hatebin.com paste.gg ntfy.sh patchbay.pub ppng.io piping.nwtgck.org
    file.pizza sharedrop.io getpantry.cloud extendsclass.com crudcrud.com restful-api.dev myjson.com myjson.online
    uploadfiles.io ufile.io easyupload.io 1fichier.com zippyshare.com send-anywhere.com sendspace.com tmp.ninja x0.at
    envs.sh c-v.sh lufi.io dropmefiles.com upload.ee  pomf.lain.la qu.ax buzzheavier.com`,
  'a webhook catcher, which shows anybody who made it what it receives': `webhook.site webhook.cool webhook-test.com
    webhook.do beeceptor.com requestbin.com requestbin.net requestbin.io requestcatcher.com pipedream.net hookbin.com
    typedwebhook.tools ptsv2.com ptsv3.com postb.in putsreq.com rbaskets.in mockbin.org mockbin.io
    requestinspector.com play.svix.com hkdk.events hookdeck.com smee.io interact.sh oast.pro oast.live oast.site
    oast.online oast.fun oast.me burpcollaborator.net oastify.com canarytokens.com canarytokens.org dnslog.cn ceye.io
    requestrepo.com eyes.sh bxss.me  xss.ht xss.report webhookinbox.com pingb.in iplogger.org iplogger.com
    grabify.link  webhookrelay.com httpdump.app httpdump.io   
        hookb.in bin.requestly.io requestly.tech 
    smtp.webhook.email hooks.zapier.com hook.us1.make.com hook.us2.make.com hook.eu1.make.com hook.eu2.make.com
    hook.integromat.com maker.ifttt.com app.n8n.cloud logic.azure.com hooks.pabbly.com connect.pabbly.com
    events.trigger.dev hook.celonis.com webhooks.workato.com`,
  'a tunnel to a machine that nobody knows': `ngrok.io ngrok.app ngrok.dev ngrok-free.app ngrok-free.dev ngrok.pizza
    ngrok.com loca.lt localto.net localtunnel.me serveo.net serveousercontent.com localhost.run lhr.life lhr.rocks
    trycloudflare.com cfargotunnel.com tunnelmole.net tunnelmole.com bore.pub telebit.io pagekite.me pinggy.link
    pinggy.io pinggy.online devtunnels.ms githubpreview.dev app.github.dev gitpod.io csb.app webcontainer.io playit.gg
    zrok.io localxpose.io loclx.io expose.dev sharedwithexpose.com ts.net portmap.io portmap.host packetriot.net
    tunnel.pyjam.as tunnelto.dev inlets.dev remote.moe holepunch.to jprq.live jprq.io btunnel.co.in
    srv.us nport.link localcan.dev instatunnel.my  onion.ly onion.ws onion.pet tor2web.org
    tor2web.io`,
  'a relay, which forwards what it gets to any address': `corsproxy.io allorigins.win codetabs.com cors.sh
    crossorigin.me cors.bridged.cc yacdn.org jsonp.afeld.me whateverorigin.org everyorigin.jwvbremen.nl cors.lol
    cors.eu.org corsfix.com cors-anywhere.com thingproxy.freeboard.io scraperapi.com scrapingbee.com scrapingant.com
    zenrows.com r.jina.ai translate.goog images.weserv.nl wsrv.nl 12ft.io proxysite.com hide.me hidester.com
    kproxy.com croxyproxy.com   proxy.corsfix.com api.cors.lol 
    crawlbase.com scrape.do scrapingdog.com webscraping.ai   `,
  'a link shortener, which hides where it leads': `bit.ly bitly.com tinyurl.com t.co goo.gl is.gd v.gd ow.ly buff.ly rebrand.ly
    cutt.ly shorturl.at rb.gy tiny.cc t.ly s.id lnkd.in bl.ink short.io short.gy shorte.st adf.ly soo.gd dub.sh git.io
    fb.me x.co u.to clck.ru vk.cc tr.im kutt.it urlz.fr trib.al forms.gle page.link app.link 1drv.ms db.tt qrco.de
    shrtco.de linktr.ee t2m.io han.gl j.mp snip.ly po.st mcaf.ee bc.vc ouo.io 2no.co zpr.io me-qr.com da.gd ulvis.net
    shorter.me tny.im gg.gg wp.me spoti.fi amzn.to a.co ift.tt dlvr.it`,
  'a host of files or pages that strangers upload': `githubusercontent.com githack.com rawgit.com statically.io
    jsdelivr.xyz googleusercontent.com translate.googleusercontent.com script.google.com sites.google.com
    cdn.discordapp.com media.discordapp.net discordapp.net dropboxusercontent.com github.io gitlab.io 
    codeberg.page pages.dev workers.dev vercel.app now.sh netlify.app  web.app firebaseapp.com
    firebaseio.com firebasedatabase.app firebasestorage.googleapis.com firebasestorage.app cloudfunctions.net run.app
    appspot.com herokuapp.com fly.dev onrender.com  deno.dev deno.net val.run  
     repl.co replit.app replit.dev glitch.me up.railway.app surge.sh azurewebsites.net azurestaticapps.net
    azurecontainerapps.io cloudapp.azure.com cloudapp.net trafficmanager.net azurefd.net azureedge.net amplifyapp.com
    elasticbeanstalk.com cloudfront.net b-cdn.net kesug.com infinityfreeapp.com 000webhostapp.com pythonanywhere.com
    neocities.org wixsite.com wixstudio.com webflow.io framer.app framer.website notion.site blogspot.com weebly.com
    hf.space streamlit.app gradio.live modal.run convex.site convex.cloud lovable.app bolt.host base44.app v0.app
    ondigitalocean.app koyeb.app cyclic.app northflank.app stackblitz.io codesandbox.io bubbleapps.io
    godaddysites.com hostingerapp.com zeabur.app sealos.run wasmer.app edgeone.app vercel.dev 
    puter.site tiiny.site static.app carrd.co square.site myportfolio.com on.aws awsapprunner.com 
    cloudflarepreview.com ipfs.io dweb.link cloudflare-ipfs.com cf-ipfs.com  mypinata.cloud
    gateway.pinata.cloud nftstorage.link w3s.link arweave.net 4everland.io fleek.co fleek.xyz on.fleek.co
    jsfiddle.net codepen.io jsbin.com plnkr.co cdpn.io tilda.ws ucoz.net altervista.org byethost.com
    rf.gd great-site.net epizy.com lovestoblog.com`,
  'an object store, where anybody can have a bucket': `storage.googleapis.com storage.cloud.google.com
    commondatastorage.googleapis.com r2.dev r2.cloudflarestorage.com digitaloceanspaces.com linodeobjects.com
    backblazeb2.com wasabisys.com vultrobjects.com your-objectstorage.com  scw.cloud
    storage.yandexcloud.net blob.core.windows.net queue.core.windows.net table.core.windows.net file.core.windows.net
    dfs.core.windows.net web.core.windows.net  myqcloud.com blob.vercel-storage.com utfs.io
    ufs.sh idrivee2.com storjshare.io  tebi.io e2enetworks.net filebase.com obs.myhuaweicloud.com
    myhuaweicloud.com objectstorage.oraclecloud.com customer-oci.com io.cloud.ovh.net cloud-object-storage.appdomain.cloud
    bcebos.com qiniucs.com clouddn.com dreamhostobjects.com dreamobjects.com exo.io tigris.dev t3.storage.dev fly.storage.tigris.dev
     `,
  'a dynamic name, which its owner points at any machine': `duckdns.org ddns.net hopto.org zapto.org sytes.net
    serveftp.com servebeer.com serveblog.net servehttp.com servegame.com redirectme.net myftp.org myftp.biz myvnc.com
    no-ip.org no-ip.biz no-ip.info noip.me bounceme.net dynu.net freeddns.org dynu.com accesscam.org gleeze.com
    dyndns.org dyndns.com dyndns.info dyndns.tv dnsalias.com homeip.net mooo.com afraid.org chickenkiller.com us.to
    dynv6.net dns.army dns.navy v6.army ddnss.de ddnsfree.com ddns.info changeip.com dynamic-dns.net
    spdns.de spdns.eu selfhost.eu goip.de dnshome.de nsupdate.info dedyn.io desec.io tplinkdns.com synology.me
    myqnapcloud.com asuscomm.com keenetic.link ydns.eu crabdance.com ignorelist.com strangled.net twilightparadox.com
    jumpingcrab.com publicvm.com casacam.net kozow.com loseyourip.com ooguy.com theworkpc.com webredirect.org
    eu.org nom.za pp.ua cloudns.cl cloudns.nz x10.mx`,
  'a name that stands for whatever address is written in it': `nip.io sslip.io xip.io traefik.me localtest.me lvh.me
    1u.ms rbndr.us backname.io ip6.name ipq.co  xip.lhjmmc.cn vcap.me lacolhost.com 127-0-0-1.org.uk
     my.local-ip.co local-ip.co local-ip.medicmobile.org ip.hackage.io  
      rebind.network rebind.it   getlocalcert.net localhost.direct`,
  'a form collector, which mails what it gets to whoever made it': `formspree.io formsubmit.co getform.io forminit.com
    formcarry.com formbold.com usebasin.com web3forms.com submit-form.com formspark.io formkeep.com un-static.com
    staticforms.xyz staticforms.dev sheetdb.io sheet.best sheety.co nocodeapi.com fabform.io kwes.io formsubmit.io
    formester.com form-data.com formeezy.com forms.office.com herotofu.com formcake.com mailthis.to
    splitforms.com heyform.net headlessforms.cloud formbackend.com fieldgoal.io sheetmonkey.io stein.hackclub.com
    gsheet.io steinhq.com`,
} as const satisfies Readonly<Record<string, string>>

/** Domain to what it is, said of a host. */
export const SUSPICIOUS: ReadonlyMap<string, string> = new Map(
  Object.entries(GROUPS).flatMap(([what, domains]) =>
    domains.split(/\s+/).map((domain) => [domain, what] as const),
  ),
)

/** Hosts below such a domain that its owner runs for programs. */
export const OWNERS_API: ReadonlySet<string> = new Set(
  `api.tinyurl.com api-ssl.bitly.com api.bitly.com dev.bitly.com api.short.io api.mega.co.nz api.wetransfer.com
  dev.wetransfer.com api.hookdeck.com api.gitpod.io api.ngrok.com
  hacker-news.firebaseio.com api.filebase.com api.backblazeb2.com   t.me api.pipedream.com
  api.codesandbox.io codesandbox.io api.uploadthing.com  desec.io api.dynu.com app.hookdeck.com
  api.cloudns.net  api.write.as  `.split(/\s+/),
)
