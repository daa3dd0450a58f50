/**
 * Files made by the program age 1.1.1 of Debian 12, from a file with the one line `ageText`. To be made again:
 *   age-keygen -o key.txt; age -a -r RECIPIENT plain.txt; age -r RECIPIENT plain.txt | base64 -w0; age -p -a plain.txt
 * The identity was made for these tests and seals nothing else.
 */

export const ageText = "sealed by age 1.1.1\n";

/** What age-keygen wrote. */
export const ageKeyFile = `# created: 2026-11-25T15:35:45Z
# public key: age1ce2m3kpn0fywvh6ggu74wdnsmeavc6c7ec9qyxyac4j8unpr5g7sm2awz5
AGE-SECRET-KEY-1AFLD7PZLF3MER27W23HN6GAWTMAVUXJL9JMHAZMUCJFXMTFR6SSQUN6LFJ
`;
export const ageRecipient = "age1ce2m3kpn0fywvh6ggu74wdnsmeavc6c7ec9qyxyac4j8unpr5g7sm2awz5";
export const ageIdentity = "AGE-SECRET-KEY-1AFLD7PZLF3MER27W23HN6GAWTMAVUXJL9JMHAZMUCJFXMTFR6SSQUN6LFJ";

/** Another identity of age-keygen, which opens none of these. */
export const otherIdentity = "AGE-SECRET-KEY-1N3CHDK8N5M702SHU8EESYCC59S6S9LZ3NCCR5YRW3UHC0LH0MU7QV2G4VL";

export const byRecipient = `-----BEGIN AGE ENCRYPTED FILE-----
YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSA5L2oxZCtpS1pscS92MFNt
YmdLeFAzaVlZUU5QS2JWanVTZ1lybDgyK0JjCjhUSGRSam1BUXE0bzl2RVNFbFNO
bnRKM0xtdGtWemZPV1NVNyttZG04cHMKLS0tIFFqOXZ4YlNXaWcycnR3alk0dnRW
VWM2WjJXWDZUUEh4VXlGZTc0UzcrM00KY6QJL7dPi1LiHcGB7gpiWLDwb1UBtI/F
nYybJuRHsjGuZDmKg0zc6lAD4q5oRdy6KHGnqA==
-----END AGE ENCRYPTED FILE-----
`;

export const byRecipientBinary = Buffer.from(
  "YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSAwNFR2Y1Y3RzN5cytpQTdhTC8zckIrRnBaRkxkckMxSzRaOXpYWXhaeUVnCk9BOXRyMkNUVkFFMGhrVm9RY0VwcFBnYXdleFJkd0JLQnBzQUtJcGpRaTgKLS0tIFUzYzN6QVJFMUF5U00wdG03M245Rk5jRkptT09sekpMYmRRZTNmUnlhOFEKZHvJhARmCyTKmvNld3eZdHOSLiVEOOfoLlLaqMoE0s0AAM8+aqTE3Yw/Cm9h+m2T96ifkQ==",
  "base64",
);

export const agePassphrase = "correct horse battery staple";
export const byPassphrase = `-----BEGIN AGE ENCRYPTED FILE-----
YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IHNjcnlwdCBwd1FGTGhpaE1mK0crbVFM
bWNjZnRRIDE4ClNYTnFETnIzdE5VM05jN2JON0U0dWxmaGlsTVFKektMSWtnSzhn
R2pzWVkKLS0tIHllQ3RIbEEyekliNy9EYjNuVzEwOUZCVVYxcUdMc1ZBV3hLbWdz
aEFXWjgKO+kBGZB3mT0H9T730cu7znLD0IP6jnLnlfByKXKoIKoIyH0VLpx4QItm
SH5ZEoM4C9Ln0g==
-----END AGE ENCRYPTED FILE-----
`;
