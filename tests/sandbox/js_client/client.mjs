// A client of others: matrix-js-sdk with its Rust crypto. Commands come as JSON lines, and what it sees goes out so.
//
//   {"do": "join", "room": "!…"}            {"do": "say", "room": "!…", "body": "…"}      {"do": "exclude_insecure"}
//   → {"event": "$…", "room": "!…", "sender": "@…", "body": "…", "failure": null, "shield": 0, "reason": null}
import readline from "node:readline";

for (const name of ["log", "info", "debug", "warn", "trace"]) console[name] = (...args) => console.error(...args);
const sdk = await import("matrix-js-sdk");
const { OnlySignedDevicesIsolationMode } = await import("matrix-js-sdk/lib/crypto-api/index.js");

const [baseUrl, user, password] = process.argv.slice(2);
const tell = (what) => process.stdout.write(JSON.stringify(what) + "\n");
const identifier = { type: "m.id.user", user };
const session = await sdk.createClient({ baseUrl }).loginRequest({ type: "m.login.password", identifier, password });
const client = sdk.createClient({
    baseUrl,
    userId: session.user_id,
    deviceId: session.device_id,
    accessToken: session.access_token,
});
await client.initRustCrypto({ useIndexedDB: false });
const crypto = client.getCrypto();

async function show(event) {
    if (!["m.room.message", "m.room.encrypted"].includes(event.getType())) return;
    if (event.isBeingDecrypted()) return;
    const info = event.isEncrypted() ? await crypto.getEncryptionInfoForEvent(event) : null;
    tell({
        event: event.getId(),
        room: event.getRoomId(),
        sender: event.getSender(),
        encrypted: event.isEncrypted(),
        body: event.isDecryptionFailure() ? null : (event.getContent().body ?? null),
        failure: event.isDecryptionFailure() ? String(event.decryptionFailureReason) : null,
        shield: info?.shieldColour ?? null,
        reason: info?.shieldReason ?? null,
    });
}
client.on(sdk.RoomEvent.Timeline, (event) => void show(event));
client.on(sdk.MatrixEventEvent.Decrypted, (event) => void show(event));

await client.startClient({ initialSyncLimit: 20 });
await new Promise((resolve) => client.on(sdk.ClientEvent.Sync, (state) => state === "PREPARED" && resolve()));
await crypto.bootstrapCrossSigning({
    authUploadDeviceSigningKeys: (request) => request({ type: "m.login.password", identifier, password }),
});
tell({ ready: session.user_id, device: session.device_id });

const acts = {
    join: ({ room }) => client.joinRoom(room),
    say: ({ room, body }) => client.sendMessage(room, { msgtype: "m.text", body }),
    exclude_insecure: () => crypto.setDeviceIsolationMode(new OnlySignedDevicesIsolationMode()),
};
for await (const line of readline.createInterface({ input: process.stdin })) {
    const command = JSON.parse(line);
    try {
        const answer = await acts[command.do](command);
        tell({ done: command.do, event_id: answer?.event_id ?? null });
    } catch (error) {
        tell({ failed: command.do, error: String(error) });
    }
}
client.stopClient();
process.exit(0);
