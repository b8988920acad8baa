"""Files from elsewhere: the hub's models and data sets, archives on a server; checked and unpacked."""
