/** What is used of the AWS SDK, named: the rest of it stays out of the bundle, and out of each command's time to start. */
export {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
export { NodeHttpHandler } from "@smithy/node-http-handler";
