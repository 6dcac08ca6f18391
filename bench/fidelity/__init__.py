"""What early stopping earns: schedulers on recorded and on made-up learning curves."""
