import { BlockList, isIP } from "node:net";

/** Where the machine's own cloud tells secrets to whoever asks from it. Never called, whatever is listed. */
const METADATA = blockList(
  ["169.254.169.254/32", "169.254.170.2/32", "169.254.169.253/32", "168.63.129.16/32", "100.100.100.200/32", "192.0.0.192/32"],
  ["fd00:ec2::254/128", "fd20:ce::254/128"],
);
/** Not the open internet (IANA's registries of special purposes). */
const PRIVATE = blockList(
  [
    ...["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24"],
    ...["192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"],
  ],
  ["::/127", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8"],
);

/** Why an address must not be called, or null. `isListed`: the host was named by whoever wrote the configuration, so it may be private. */
export function addressProblem(address: string, isListed: boolean): string | null {
  const plain = embedded(address);
  const family = isIP(plain) === 6 ? "ipv6" : "ipv4";
  if (isIP(plain) === 0) return "it is no address";
  if (METADATA.check(plain, family)) return `${plain} tells secrets of this machine`;
  if (!isListed && PRIVATE.check(plain, family)) return `${plain} is not on the open internet; allowHosts can allow it`;
  return null;
}

/** An IPv4 address that an IPv6 one leads to (mapped, compatible, NAT64, 6to4), as it is; anything else without brackets and zone. */
function embedded(address: string): string {
  const plain = address.replace(/^\[|\]$/g, "").replace(/%.*$/, "");
  if (isIP(plain) !== 6) return plain;
  const words = wordsOf(plain);
  const begins = (...first: readonly number[]): boolean => first.every((word, n) => words[n] === word);
  const [, second = 0, third = 0] = words;
  const [seventh = 0, eighth = 0] = words.slice(6);
  if (begins(0x2002)) return ipv4Of(second, third);
  const isEmbedding = begins(0, 0, 0, 0, 0, 0xffff) || begins(0x64, 0xff9b, 0, 0, 0, 0) || begins(0, 0, 0, 0, 0, 0);
  return isEmbedding && (words[5] !== 0 || words[0] !== 0 || seventh !== 0) ? ipv4Of(seventh, eighth) : plain;
}

/** The eight words of an IPv6 address. */
function wordsOf(address: string): readonly number[] {
  const hex = address.replace(
    /(\d+)\.(\d+)\.(\d+)\.(\d+)$/,
    (_, a, b, c, d) => `${(a * 256 + +b).toString(16)}:${(c * 256 + +d).toString(16)}`,
  );
  const [head = "", tail] = hex.split("::");
  const words = (text: string): number[] => text.split(":").flatMap((word) => (word === "" ? [] : [Number.parseInt(word, 16)]));
  if (tail === undefined) return words(head);
  const before = words(head);
  const behind = words(tail);
  return [...before, ...Array<number>(8 - before.length - behind.length).fill(0), ...behind];
}

function ipv4Of(high: number, low: number): string {
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

function blockList(ipv4: readonly string[], ipv6: readonly string[]): BlockList {
  const list = new BlockList();
  const add = (family: "ipv4" | "ipv6") => (network: string) => {
    const [address = "", bits] = network.split("/");
    list.addSubnet(address, Number(bits), family);
  };
  ipv4.forEach(add("ipv4"));
  ipv6.forEach(add("ipv6"));
  return list;
}
