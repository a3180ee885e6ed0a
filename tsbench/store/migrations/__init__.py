"""The history of the tables, oldest first; run by `tsbench.store.schema.upgrade`."""
