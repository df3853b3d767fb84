"""The web site: a bucket with the pages, and a CloudFront distribution in front of the pages and both APIs."""
