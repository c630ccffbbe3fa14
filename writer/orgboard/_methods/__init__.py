"""What a training script calls: the methods of `SummaryWriter`, family by family."""
