const factors: Readonly<Record<string, number>> = {
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** Bytes of a Kubernetes quantity such as "5Gi" or "1e9"; undefined for anything else. Source: apimachinery's resource.Quantity. */
export const parseQuantity = (text: string): number | undefined => {
  const match = /^([0-9]+(?:\.[0-9]+)?(?:[eE][0-9]+)?)(m|k|[KMGTPE]i?)?$/.exec(text);
  if (match === null) return undefined;
  const [, number = "", suffix = ""] = match;
  const bytes = suffix === "m" ? Number(number) / 1000 : Number(number) * (factors[suffix] ?? Number.NaN);
  return Number.isFinite(bytes) ? bytes : undefined;
};
