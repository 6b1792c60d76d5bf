"""The service: a page, a REST interface and jobs over the same detector."""
