// ML-DSA-44 cosignatures by code that is not ours: @noble/post-quantum, which also checks what we made.
//
//     node tests/vectors/cosignature_noble.mjs node_modules < questions > answers
//
// A question has a cosigner's Name and Seed, and the Time, Origin, Size and Root of what is cosigned; with Ours, time and
// signature of our own, which has to hold here and not under another size. The answer is the question with the public key, and
// with time and signature as noble makes them, without randomness. The message is put together here from tlog-cosignature.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const module = pathToFileURL(resolve(process.argv[2], "@noble/post-quantum/ml-dsa.js"));
const { ml_dsa44 } = await import(module.href);

const u64 = (number) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(number));
  return bytes;
};

const named = (text) => {
  const bytes = Buffer.from(text, "utf8");
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
};

const message = (q, size) =>
  new Uint8Array(
    Buffer.concat([
      Buffer.from("subtree/v1\n\0"),
      named(q.Name),
      u64(q.Time),
      named(q.Origin),
      u64(0),
      u64(size),
      Buffer.from(q.Root, "base64"),
    ]),
  );

const answers = JSON.parse(readFileSync(0, "utf8")).map((q) => {
  const { publicKey, secretKey } = ml_dsa44.keygen(new Uint8Array(Buffer.from(q.Seed, "base64")));
  if (q.Ours) {
    const ours = new Uint8Array(Buffer.from(q.Ours, "base64"));
    const holds = (size) => ml_dsa44.verify(ours.slice(8), message(q, size), publicKey);
    if (!holds(q.Size) || holds(q.Size + 1)) throw new Error(`our cosignature as ${q.Name} does not hold`);
  }
  const signature = ml_dsa44.sign(message(q, q.Size), secretKey, { extraEntropy: false });
  const theirs = Buffer.concat([u64(q.Time), Buffer.from(signature)]).toString("base64");
  return { ...q, Public: Buffer.from(publicKey).toString("base64"), Theirs: theirs };
});
process.stdout.write(JSON.stringify(answers, null, 1) + "\n");
